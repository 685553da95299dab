// SPDX-License-Identifier: Apache-2.0
/* What a lock installs on a target: "Installing from a lock file" of PEP 751, and a walk for locks that are graphs. */
import { TareError } from "../../base/index.ts";
import { evaluateMarker, markerEnvironment } from "../requirements/marker-evaluation.ts";
import { matchesSpecifier } from "../requirements/specifiers.ts";
import { WheelChooser, parseWheelName } from "../target/tags.ts";
import type { MarkerEnvironment } from "../requirements/types.ts";
import type { DirectUrl, PythonTarget } from "../types.ts";
import type { Lock, LockedDependency, LockedPackage, LockedSource, SelectedPackage } from "./types.ts";

/** What of a lock is wanted. */
export interface Selection {
  readonly extras: readonly string[];
  /** Dependency groups besides the lock's default ones. */
  readonly groups: readonly string[];
  /** Names that the user asked for, where the lock does not say. */
  readonly requested?: ReadonlySet<string>;
}

/**
 * The packages that a lock installs on a target, by name. Throws `E_LOCK` for a lock not made for the target or one
 * with two packages of a name, `E_NO_WHEEL` for a package of which no file fits.
 */
export function selectFromLock(lock: Lock, target: PythonTarget, selection: Selection): readonly SelectedPackage[] {
  const environment = {
    ...markerEnvironment(target),
    extras: selection.extras,
    dependency_groups: groupsOf(lock, selection),
  };
  checkTarget(lock, target, environment);
  const { packages, requested } = lock.roots
    ? walk(lock, environment, selection)
    : byMarkers(lock, environment, selection);
  const chooser = new WheelChooser(target);
  const chosen = packages
    .filter(isInstalled)
    .map((each) => choose(each, { target, chooser, isRequested: requested.has(each.name) }));
  return chosen.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isInstalled({ source }: LockedPackage): boolean {
  return source?.kind !== "directory" || source.isVirtual !== true;
}

function groupsOf(lock: Lock, selection: Selection): readonly string[] {
  return [...new Set([...lock.defaultGroups, ...selection.groups])];
}

function checkTarget(lock: Lock, target: PythonTarget, environment: MarkerEnvironment): void {
  if (
    lock.requiresPython !== undefined &&
    !matchesSpecifier(target.version, lock.requiresPython, { prereleases: true })
  ) {
    throw new TareError(
      "E_LOCK",
      `installing ${lock.file}: it is for Python ${lock.requiresPython}, the image has ${target.version}`,
      {
        hint: "choose another base, or lock again for this Python",
      },
    );
  }
  if (lock.environments.length === 0) return;
  if (lock.environments.some((marker) => evaluateMarker(marker, environment))) return;
  throw new TareError("E_LOCK", `installing ${lock.file}: it was made for other platforms than ${describe(target)}`, {
    hint: "lock again for this platform, or with `--universal`",
  });
}

interface Chosen {
  readonly packages: readonly LockedPackage[];
  readonly requested: ReadonlySet<string>;
}

function byMarkers(lock: Lock, environment: MarkerEnvironment, selection: Selection): Chosen {
  const packages = lock.packages.filter(({ marker }) => marker === undefined || evaluateMarker(marker, environment));
  const seen = new Set<string>();
  for (const { name } of packages) {
    if (seen.has(name))
      throw new TareError("E_LOCK", `installing ${lock.file}: it has two packages \`${name}\` for one target`, {
        hint: "lock again",
      });
    seen.add(name);
  }
  return { packages, requested: selection.requested ?? new Set() };
}

function walk(lock: Lock, environment: MarkerEnvironment, selection: Selection): Chosen {
  const { roots } = lock;
  const edges = [
    ...(roots?.own ?? []),
    ...selection.extras.flatMap((extra) => roots?.extras[extra] ?? []),
    ...selection.groups.flatMap((group) => roots?.groups[group] ?? []),
  ];
  const found = new Map<string, { readonly locked: LockedPackage; readonly extras: Set<string> }>();
  const requested = new Set<string>();
  const follow = (edge: LockedDependency, extras: readonly string[]): void => {
    if (edge.marker !== undefined && !holds(edge, environment, extras)) return;
    const locked = find(lock, edge, environment);
    if (extras === OWN) requested.add(locked.name);
    const known = found.get(locked.name);
    const added = edge.extras.filter((extra) => !known?.extras.has(extra));
    if (known && added.length === 0) return;
    const all = new Set([...(known?.extras ?? []), ...edge.extras]);
    found.set(locked.name, { locked, extras: all });
    for (const next of locked.dependencies) follow(next, [...all]);
  };
  for (const edge of edges) follow(edge, OWN);
  return { packages: [...found.values()].map(({ locked }) => locked), requested };
}

/** The project itself asks, not a package of it. */
const OWN: readonly string[] = [];

function holds({ marker }: LockedDependency, environment: MarkerEnvironment, extras: readonly string[]): boolean {
  if (marker === undefined) return true;
  return ["", ...extras].some((extra) => evaluateMarker(marker, { ...environment, extra }));
}

function find(lock: Lock, edge: LockedDependency, environment: MarkerEnvironment): LockedPackage {
  const named = lock.packages.filter(
    ({ name, version }) => name === edge.name && (edge.version === undefined || version === edge.version),
  );
  const fitting = named.filter(({ marker }) => marker === undefined || evaluateMarker(marker, environment));
  const [locked] = fitting.length > 0 ? fitting : named;
  if (locked) return locked;
  throw new TareError("E_LOCK", `installing ${lock.file}: \`${edge.name}\` is needed but not in it`, {
    hint: "lock again",
  });
}

function choose(
  locked: LockedPackage,
  {
    target,
    chooser,
    isRequested,
  }: { readonly target: PythonTarget; readonly chooser: WheelChooser; readonly isRequested: boolean },
): SelectedPackage {
  const { name, version, sdist, source, dependencies } = locked;
  const wheel = chooser.best(locked.wheels);
  const common = {
    name,
    isRequested,
    dependencies: dependencies.map((dependency) => dependency.name),
    ...(version === undefined ? {} : { version }),
  };
  if (wheel) return { ...common, wheel, ...(sdist === undefined ? {} : { sdist }) };
  if (source) {
    const direct = directOf(source);
    const isWheel = source.kind === "archive" && source.file.fileName.endsWith(".whl");
    return {
      ...common,
      ...(isWheel ? { wheel: source.file } : { source }),
      ...(direct === undefined ? {} : { direct }),
    };
  }
  if (sdist) return { ...common, sdist };
  throw noWheel(locked, target);
}

/** PEP 610. */
function directOf(source: LockedSource): DirectUrl | undefined {
  const subdirectory = source.subdirectory === undefined ? {} : { subdirectory: source.subdirectory };
  if (source.kind === "vcs") {
    const revision = source.requestedRevision === undefined ? {} : { requested_revision: source.requestedRevision };
    return { url: source.url, vcs_info: { vcs: source.vcs, commit_id: source.commit, ...revision }, ...subdirectory };
  }
  if (source.kind === "archive" && source.file.url !== undefined) {
    const { url, digest } = source.file;
    const hashes = digest === undefined ? {} : { hashes: { sha256: digest.slice(7) } };
    return { url, archive_info: hashes, ...subdirectory };
  }
  return undefined;
}

function noWheel({ name, version = "", wheels }: LockedPackage, target: PythonTarget): TareError {
  const tags = wheels.flatMap(({ fileName }) => {
    try {
      return parseWheelName(fileName).tags.slice(0, 1);
    } catch {
      return [];
    }
  });
  const has = tags.length === 0 ? "the lock has no file of it" : `it has ${[...new Set(tags)].slice(0, 6).join(", ")}`;
  return new TareError("E_NO_WHEEL", `installing \`${name} ${version}\`: no file fits ${describe(target)}; ${has}`, {
    hint: "choose another version or base, or lock again for this target",
  });
}

/** `Python 3.11.2 on glibc 2.36, amd64`. */
export function describe(target: PythonTarget): string {
  const { kind, version } = target.libc;
  return `Python ${target.version} on ${kind} ${version}, ${target.architecture}`;
}
