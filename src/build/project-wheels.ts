// SPDX-License-Identifier: Apache-2.0
/* The distributions of a project: from its lock, or resolved now; those without a wheel are built. */
import * as fs from "node:fs";
import { join } from "node:path";
import { ensureDirectory } from "../base/index.ts";
import {
  parseWheelName,
  planLayers,
  projectIndexUrls,
  readLayerFacts,
  readLock,
  resolve,
  selectFromLock,
} from "../python/index.ts";
import { buildWheels } from "./build-wheels.ts";
import { splitPackages } from "./project-packages.ts";
import { isolatedUv } from "./isolated-uv.ts";
import { staleReason } from "./lock-state.ts";
import { checkTargets, tellTargets } from "./gpu-targets.ts";
import { acceleratorOf, checkAccelerator } from "./project-accelerator.ts";
import type { IsolatedPlace } from "./isolated.ts";
import type { Digest } from "../base/index.ts";
import type { Platform } from "../oci/index.ts";
import type {
  DistributionFile,
  Lock,
  PythonTarget,
  SelectedPackage,
  WheelLayerFacts,
  WheelRef,
  WheelStore,
} from "../python/index.ts";
import type { ProjectBuild } from "./project-build.ts";
import type { ResolvedImage } from "./types.ts";

/** What is installed, and how it is spread over layers. */
export interface ChosenWheels {
  readonly wheels: readonly WheelRef[];
  /** Lowest first. */
  readonly groups: readonly (readonly WheelRef[])[];
  /** Completes "dependencies:": `pylock.toml`, `requirements.txt, resolved now`. */
  readonly source: string;
  /** Names whose wheels were built here. */
  readonly built: readonly string[];
  /** Packages that are used where they lie in the sources: names, and folders relative to the project. */
  readonly inPlace: readonly { readonly name: string; readonly folder: string }[];
  /** The others, as they were before anything was built. */
  readonly selected: readonly SelectedPackage[];
  /** Normalised name of the project itself, when it is a package. */
  readonly ownName: string | undefined;
  /** That of the call, of the project, or of its lock. */
  readonly accelerator: string | undefined;
  /** What the lock says of layers. */
  readonly layerFacts: ReadonlyMap<Digest, WheelLayerFacts>;
}

/** Where wheels are chosen for. */
export interface WheelChoice {
  readonly base: ResolvedImage;
  readonly target: PythonTarget;
  readonly platform: Platform;
}

/** Chooses, and fetches what must be read to go on. Throws what locks, resolving and fetching throw. */
export async function chooseWheels(build: ProjectBuild, choice: WheelChoice): Promise<ChosenWheels> {
  await learnCredentials(build);
  const { lock, source } = await lockOf(build, choice);
  const layerFacts = readLayerFacts(lock?.tare);
  build.place.remote?.addLocked(layerFacts);
  const accelerator = await acceleratorOf(build, lock);
  const selected = lock ? selectedOf(build, choice, lock, accelerator) : [];
  await checkGpuTargets(build, selected);
  const { others, inPlace, ownName } = await splitPackages(build, selected);
  const store = await build.place.wheels();
  const built = await buildWheels(
    isolatedPlace(build, choice),
    others.filter(({ wheel }) => !wheel),
  );
  const all = others.map((each) => withWheel(each, built.get(each.name)));
  const isOwn = ({ name }: Pick<SelectedPackage, "name">): boolean => name === ownName;
  const wheels = await refsOf(
    store,
    all.filter((each) => !isOwn(each)),
    build.signal,
  );
  const itself = [...inPlace.map(({ wheel }) => wheel), ...(await refsOf(store, all.filter(isOwn), build.signal))];
  const layers = build.request.python?.layers ?? build.project.config.layers;
  return {
    wheels: [...wheels, ...itself],
    groups: [...planLayers(wheels, layers === undefined ? {} : { layers }), ...(itself.length > 0 ? [itself] : [])],
    source,
    built: [...built.keys()],
    inPlace: inPlace.map(({ wheel, folder }) => ({ name: wheel.name, folder })),
    selected: others,
    ownName,
    accelerator,
    layerFacts,
  };
}

function selectedOf(
  build: ProjectBuild,
  { target }: WheelChoice,
  lock: Lock,
  accelerator: string | undefined,
): readonly SelectedPackage[] {
  const { config, dependencies } = build.project;
  const requested = new Set(dependencies.requested);
  const selected = selectFromLock(lock, target, { extras: config.extras, groups: config.groups, requested });
  if (dependencies.kind === "lock") checkAccelerator(accelerator, lock, selected);
  return selected;
}

/** The project's machines with GPUs: what can't run there is told, or refused where the project says so. */
async function checkGpuTargets(
  { place, project, request }: ProjectBuild,
  selected: readonly SelectedPackage[],
): Promise<void> {
  tellTargets(await checkTargets(place, project, selected), project, request);
}

/** Where sources are built, and asked for what they need. */
function isolatedPlace(build: ProjectBuild, { base, target, platform }: WheelChoice): IsolatedPlace {
  const { place, lease, epoch, signal, request, project } = build;
  return {
    place,
    lease,
    base,
    target,
    platform,
    packages: project.config.buildPackages,
    indexUrls: ownIndexes(build).filter((url) => /^https?:/.test(url)),
    network: request.network ?? "default",
    epoch,
    signal,
    ...(request.listener === undefined ? {} : { listener: request.listener }),
  };
}

function withWheel(each: SelectedPackage, built: DistributionFile | undefined): SelectedPackage {
  return built === undefined ? each : { ...each, wheel: built };
}

/** Indexes that the project itself names, which may have a user and a password there. */
function ownIndexes({ place, project, root }: Pick<ProjectBuild, "place" | "project" | "root">): readonly string[] {
  const { kind, files } = project.inputs;
  if (kind !== "requirements" && kind !== "pyproject") return [];
  const paths = files.map((file) => join(root, file));
  return projectIndexUrls(paths, root, place.env);
}

async function learnCredentials(build: ProjectBuild): Promise<void> {
  const urls = ownIndexes(build);
  if (urls.length > 0) (await build.place.wheels()).useCredentials(urls);
}

async function lockOf(
  build: ProjectBuild,
  choice: WheelChoice,
): Promise<{ readonly lock?: Lock; readonly source: string }> {
  const { root, project, place } = build;
  const { kind, files, pins } = project.dependencies;
  const [file = ""] = files;
  if (kind === "none") return { source: "none" };
  if (kind === "lock") {
    const lock = readLock(fs.readFileSync(join(root, file), "utf8"), join(root, file));
    warnOfStale(build, lock, file);
    return { lock, source: file };
  }
  const inputs = pins ? [writePins(build, pins)] : files.map((name) => join(root, name));
  const { config } = project;
  const { target } = choice;
  const accelerator = await acceleratorOf(build);
  const runIsolated = isolatedUv(isolatedPlace(build, choice));
  const resolution = await resolve(
    { store: place.store, wheels: place.wheels, env: place.env, signal: build.signal },
    {
      folder: root,
      files: inputs,
      target,
      ...(kind === "pyproject" ? { extras: config.extras, groups: config.groups } : {}),
      ...(kind === "pins" ? { noDependencies: true } : {}),
      ...(build.request.noCache ? { refresh: true } : {}),
      ...(accelerator === undefined ? {} : { accelerator }),
      ...(runIsolated === undefined ? {} : { runIsolated }),
    },
  );
  for (const message of resolution.warnings) {
    build.request.listener?.({ kind: "warning", rule: "Requirements", message, file, at: Date.now() });
  }
  const how =
    kind === "pins" ? "its versions" : resolution.isFromCache ? "resolved before" : "resolved now; `tare lock` pins it";
  return { lock: readLock(resolution.pylock, join(root, "pylock.toml")), source: `${file}, ${how}` };
}

/** Requirements that stand in no file, as one. */
export function writePins({ lease }: Pick<ProjectBuild, "lease">, pins: readonly string[]): string {
  // In a folder of its own, which uv may be shown as a whole.
  const folder = join(lease.folder, "pins");
  ensureDirectory(folder);
  const path = join(folder, "requirements.txt");
  fs.writeFileSync(path, `${pins.join("\n")}\n`, { mode: 0o600 });
  return path;
}

/** The lock is used as it is; that it is not what the requirements ask for any more is said. */
function warnOfStale({ root, project, place, request }: ProjectBuild, lock: Lock, file: string): void {
  const reason = staleReason({ root, project, env: place.env }, lock);
  if (reason === undefined) return;
  const message = `${file} is not up to date: ${reason}; \`tare lock\` makes it anew`;
  request.listener?.({ kind: "warning", rule: "StaleLock", message, file, at: Date.now() });
}

/** Identities and sizes of the wheels; those of which a lock tells both are not fetched before they are needed. */
async function refsOf(
  store: WheelStore,
  selected: readonly SelectedPackage[],
  signal: AbortSignal,
): Promise<readonly WheelRef[]> {
  const files = selected.map(({ wheel }) => wheel).filter((file) => file !== undefined);
  const unknown = files.filter(
    (file) => file.digest === undefined || file.size === undefined || file.url === undefined,
  );
  const fetched = await store.fetch(unknown, { signal });
  const facts = new Map(unknown.map((file, index) => [file, fetched[index]]));
  return selected.map((each) => refOf(store, each, each.wheel && facts.get(each.wheel)));
}

function refOf(
  store: WheelStore,
  { name, version, wheel, isRequested, direct }: SelectedPackage,
  stored: Pick<DistributionFile, "digest" | "size"> | undefined,
): WheelRef {
  const digest = stored?.digest ?? wheel?.digest;
  if (!wheel || digest === undefined) throw new Error(`\`${name}\` has no wheel`);
  if (!stored) store.note(wheel);
  return {
    name,
    version: version ?? parseWheelName(wheel.fileName).version,
    fileName: wheel.fileName,
    digest,
    size: stored?.size ?? wheel.size ?? 0,
    isRequested,
    ...(direct === undefined ? {} : { direct }),
  };
}
