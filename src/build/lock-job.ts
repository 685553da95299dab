// SPDX-License-Identifier: Apache-2.0
/* What a call of `tare lock` is about: the project, the lock that is there, and what is asked for. */
import * as fs from "node:fs";
import { basename, join, resolve as resolvePath } from "node:path";
import { TareError, isTareError, suggest } from "../base/index.ts";
import { isLockName, normalizeName, readLock, stampOf } from "../python/index.ts";
import { lockInputs } from "./lock-state.ts";
import { projectIn } from "./project-build.ts";
import type { Lock, LockInputs, LockStamp } from "../python/index.ts";
import type { ProjectPlace } from "./lock-state.ts";
import type { LockRequest } from "./lock-types.ts";
import type { BuildPlace } from "./run-build.ts";

/** One call. */
export interface LockJob {
  readonly place: BuildPlace;
  readonly request: LockRequest;
  readonly project: ProjectPlace;
  readonly file: string;
  readonly previous?: { readonly text: string; readonly lock: Lock; readonly stamp?: LockStamp };
  /** Versions that are kept where they fit: those of the lock, or of uv's own. */
  readonly preferences?: string;
  readonly inputs: LockInputs;
  readonly warnings: readonly string[];
}

/** Reads the project and its lock. Throws `E_LOCK`, `E_USAGE`, and what reading projects throws. */
export function openJob(place: BuildPlace, request: LockRequest): LockJob {
  const { folder, output = "pylock.toml", isCheck } = request;
  const project = projectIn(folder);
  if (!project || project.inputs.kind === "none") {
    throw new TareError("E_LOCK", `locking \`${folder}\`: no file names dependencies`, {
      hint: "requirements.txt, requirements.in, pyproject.toml with [project], poetry.lock and Pipfile.lock are looked for",
    });
  }
  const file = resolvePath(folder, output);
  if (!isLockName(basename(file)) || basename(file) === "uv.lock") {
    throw new TareError("E_USAGE", `writing \`${output}\`: a lock is named pylock.toml or pylock.NAME.toml`, {
      hint: "PEP 751 wants it so, and other tools find it by that name",
    });
  }
  const { previous, warnings } = readPrevious(file, isCheck);
  checkNames(request, previous?.lock);
  if (isCheck && !previous) {
    throw new TareError("E_LOCK", `checking \`${output}\`: there is none`, { hint: "write it with `tare lock`" });
  }
  const { stamp } = previous ?? {};
  const own = project.inputs.kind === "pyproject";
  const asked = {
    extras: own ? union(project.config.extras, request.extras, stamp?.extras) : [],
    groups: own ? union(project.config.groups, request.groups, stamp?.groups) : [],
  };
  if (!own && request.extras.length + request.groups.length > 0) {
    throw new TareError(
      "E_USAGE",
      `locking ${project.inputs.files.join(", ")}: extras and groups are of pyproject.toml`,
      {
        hint: "leave out `--extra` and `--group`",
      },
    );
  }
  const located = { root: folder, project, env: place.env };
  const preferences = previous?.text ?? preferencesOf(join(folder, "uv.lock"));
  return {
    place,
    request,
    project: located,
    file,
    ...(previous ? { previous } : {}),
    ...(preferences === undefined ? {} : { preferences }),
    inputs: lockInputs(located, asked),
    warnings,
  };
}

/** A name to upgrade that is in no lock is a typing error. */
function checkNames({ upgrade }: LockRequest, lock: Lock | undefined): void {
  if (upgrade === undefined || upgrade === true || !lock) return;
  const names = lock.packages.map(({ name }) => name);
  const unknown = upgrade.find((name) => !names.includes(normalizeName(name)));
  if (unknown === undefined) return;
  const near = suggest(normalizeName(unknown), names);
  throw new TareError("E_USAGE", `upgrading \`${unknown}\`: it is not in the lock`, {
    hint: near === undefined ? "`tare lock --json` lists what is" : `did you mean \`${near}\``,
  });
}

/** uv's lock as no more than names and versions. */
function preferencesOf(path: string): string | undefined {
  if (!fs.existsSync(path)) return undefined;
  const { packages } = readLock(fs.readFileSync(path, "utf8"), path);
  const rows = packages.flatMap(({ name, version }) =>
    version === undefined ? [] : [`[[packages]]\nname = "${name}"\nversion = "${version}"\n`],
  );
  return `lock-version = "1.0"\ncreated-by = "tare"\n\n${rows.join("\n")}`;
}

/** Names of all lists, each once. */
function union(...lists: readonly (readonly string[] | undefined)[]): readonly string[] {
  return [...new Set(lists.flatMap((list) => (list ?? []).map(normalizeName)))];
}

interface Previous {
  readonly previous?: NonNullable<LockJob["previous"]>;
  readonly warnings: readonly string[];
}

/** The lock that is there. One that can't be read (conflict marks of a merge) is no hindrance to a new one. */
function readPrevious(file: string, isCheck: boolean): Previous {
  if (!fs.existsSync(file)) return { warnings: [] };
  const text = fs.readFileSync(file, "utf8");
  try {
    const lock = readLock(text, file);
    const stamp = stampOf(lock);
    return { previous: { text, lock, ...(stamp ? { stamp } : {}) }, warnings: [] };
  } catch (error) {
    if (isCheck || !(isTareError(error, "E_LOCK") || isTareError(error, "E_LOCK_HASH"))) throw error;
    return { warnings: [`${error.message}: all versions are chosen anew`] };
  }
}
