// SPDX-License-Identifier: Apache-2.0
/* For which interpreter a project is locked: that of its base when the base is here, else one known by its version. */
import { TareError, isTareError } from "../base/index.ts";
import { hostPlatform, parsePlatform } from "../oci/index.ts";
import { findInterpreter, matchesSpecifier, statedTarget, unpackDeferred } from "../python/index.ts";
import { TreeView } from "../store/index.ts";
import { chooseBase } from "./project-base.ts";
import { findImage, readImage } from "./resolver.ts";
import type { Platform } from "../oci/index.ts";
import type { Project } from "../project/index.ts";
import type { LockStamp, PythonTarget } from "../python/index.ts";
import type { BuildPlace } from "./run-build.ts";
import type { ResolvedImage } from "./types.ts";

/** What decides the target. */
interface Asked {
  readonly python?: string;
  readonly platform?: string;
  /** Of the lock that is there. */
  readonly stamp?: LockStamp;
}

/** A target and why it is that. */
export interface LockTarget {
  readonly target: PythonTarget;
  /** `of python:3.11-slim`, or `as in python:3.11-slim`. */
  readonly reason: string;
  /** `linux/amd64` */
  readonly platform: string;
  /** The base, when it is here: there sources can be asked what they need. */
  readonly base?: ResolvedImage;
}

/** Finds the target; no image is fetched for it. Throws `E_PYTHON_NOTFOUND`, `E_PLATFORM`. */
export async function lockTarget(place: BuildPlace, project: Project, asked: Asked): Promise<LockTarget> {
  const platform = platformOf(asked.platform ?? asked.stamp?.platform);
  const shown = `linux/${platform.architecture}`;
  const minor = asked.python === undefined ? lockedMinor(project, asked.stamp) : minorOf(asked.python);
  const base = chooseBase(project, minor).value;
  const own = await interpreterOf(place, base, platform);
  if (own && (asked.python === undefined || isVersion(own.target.version, asked.python))) {
    return { ...own, reason: `of ${base}`, platform: shown };
  }
  const version = asked.python ?? project.python?.value ?? minor ?? /^python:(3\.\d+)/.exec(base)?.[1];
  if (version === undefined) {
    throw new TareError("E_PYTHON_NOTFOUND", `choosing a Python: the base \`${base}\` is not here to be looked at`, {
      hint: "say it: `--python 3.11`, or fetch the base first (`tare pull`)",
    });
  }
  const { stamp } = asked;
  const known = stamp && isVersion(stamp.python, version) ? { version: stamp.python, libc: stamp.libc } : { version };
  return {
    target: statedTarget({ ...known, architecture: platform.architecture }),
    reason: asked.python === undefined ? `as in ${base}` : "from --python",
    platform: shown,
  };
}

/** A lock that is there decides where the project itself says nothing. */
function lockedMinor({ python, requiresPython = "" }: Project, stamp: LockStamp | undefined): string | undefined {
  if (python !== undefined || !stamp || !matchesSpecifier(stamp.python, requiresPython)) return undefined;
  return minorOf(stamp.python);
}

/** Images run on Linux, also where they are made on another system. */
function platformOf(text: string | undefined): Platform {
  const host = { ...hostPlatform(process.arch), os: "linux" };
  const platform = text === undefined ? host : parsePlatform(text, host);
  if (platform.os === "linux") return platform;
  throw new TareError("E_PLATFORM", `locking for \`${text ?? ""}\`: images are of linux`, {
    hint: "for example linux/amd64; `--universal` locks for every system",
  });
}

async function interpreterOf(
  place: BuildPlace,
  name: string,
  platform: Platform,
): Promise<Required<Pick<LockTarget, "target" | "base">> | undefined> {
  const record = findImage(place.store, name);
  if (!record) return undefined;
  try {
    const base = readImage(place.store, record, name, platform);
    const { config } = base;
    if (config.architecture !== platform.architecture) return undefined;
    await unpackDeferred(place, config.rootfs.diff_ids);
    const layers = place.store.layers.getAll(config.rootfs.diff_ids);
    const facts = { env: config.config?.Env ?? [], architecture: config.architecture };
    return { target: findInterpreter(new TreeView(layers), facts), base };
  } catch (error) {
    if (isTareError(error, "E_PLATFORM") || isTareError(error, "E_LAYER_MISSING")) return undefined;
    throw error;
  }
}

function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}

/** `3.11` stands for each of its releases. */
function isVersion(version: string, wanted: string): boolean {
  return version === wanted || (minorOf(wanted) === wanted && minorOf(version) === wanted);
}
