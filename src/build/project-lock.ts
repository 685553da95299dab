// SPDX-License-Identifier: Apache-2.0
/* `tare lock`: a project's requirements to pylock.toml, for the interpreter of its base or for one that is stated. */
import { relative } from "node:path";
import { DEFAULT_EPOCH, canonicalJson, isTareError, writeFileAtomic } from "../base/index.ts";
import {
  UV_VERSION,
  chooseAccelerator,
  directRequirements,
  evaluateMarker,
  formatRequirement,
  inputsDigest,
  lockChanges,
  markerEnvironment,
  matchesSpecifier,
  readLayerFacts,
  readLock,
  resolve,
  selectFromLock,
  stampLock,
  writeLayerFacts,
} from "../python/index.ts";
import { automaticAccelerator, checkTargets, refuseTargets, targetTexts } from "./gpu-targets.ts";
import { isolatedUv } from "./isolated-uv.ts";
import { writePins } from "./project-wheels.ts";
import { openJob } from "./lock-job.ts";
import { lockTarget } from "./lock-target.ts";
import type { Lease } from "../store/index.ts";
import type { IsolatedPlace } from "./isolated.ts";
import type { LockTarget } from "./lock-target.ts";
import type { ResolvedImage } from "./types.ts";
import type { Lock, LockInputs, LockStamp, PythonTarget } from "../python/index.ts";
import type { LockJob as Job } from "./lock-job.ts";
import type { LockRequest, LockResult, LockedVersion } from "./lock-types.ts";
import type { BuildPlace } from "./run-build.ts";

/**
 * Locks a project, or checks its lock. Versions of the lock that is there are kept where they fit. Throws `E_LOCK` when
 * there is nothing to lock or to check, and what reading projects, finding Pythons and resolving throw.
 */
export async function lockProject(place: BuildPlace, request: LockRequest): Promise<LockResult> {
  const job = openJob(place, request);
  const found = await lockTarget(place, job.project.project, {
    ...(request.python === undefined ? {} : { python: request.python }),
    ...(request.platform === undefined ? {} : { platform: request.platform }),
    ...(job.previous?.stamp === undefined ? {} : { stamp: job.previous.stamp }),
  });
  const { target, reason } = found;
  const stamp = stampFor(job, { target, platform: found.platform, accelerator: await acceleratorFor(job) });
  const { previous } = job;
  const problems = previous ? problemsOf(previous.lock, job.inputs, target) : [];
  const about = { job, stamp, target, reason };
  if (previous && request.upgrade === undefined) {
    const isKnown = problems.length === 0 && isMadeFor(previous, stamp, target);
    if (isKnown || (request.isCheck && problems.length > 0)) {
      const warnings = await gpuWarnings(job, previous.text, target);
      return resultOf(about, { text: previous.text, problems, warnings });
    }
  }
  const resolved = await resolveJob(job, stamp, found);
  const facts = [...readLayerFacts(previous?.lock.tare).values()];
  const text = writeLayerFacts(stampLock(resolved.pylock, stamp, target), facts);
  const warnings = [...job.warnings, ...resolved.warnings, ...(await gpuWarnings(job, text, target))];
  const isSame = previous !== undefined && lockChanges(previous.lock, readLock(text, job.file)).length === 0;
  if (request.isCheck) return resultOf(about, { text, problems: isSame ? [] : problems, warnings });
  const isWritten = previous?.text !== text;
  if (isWritten) writeFileAtomic(job.file, text, 0o644);
  return resultOf(about, { text, problems: [], warnings, isWritten });
}

/** What of a lock can't run on the project's machines. Throws `E_GPU_CHECK` where the project wants an error. */
async function gpuWarnings(
  { place, project, file }: Job,
  text: string,
  target: PythonTarget,
): Promise<readonly string[]> {
  if (project.project.config.gpu === undefined) return [];
  const selected = selectFromLock(readLock(text, file), target, { extras: [], groups: [] });
  const found = await checkTargets(place, project.project, selected);
  refuseTargets(found, project.project);
  return targetTexts(found);
}

interface StampFacts {
  readonly target: PythonTarget;
  readonly platform: string;
  readonly accelerator: string | undefined;
}

/** That of this call, of the project, of the lock that is there. */
async function acceleratorFor({ place, request, project, previous }: Job): Promise<string | undefined> {
  const configured = project.project.config.accelerator;
  const locked = previous?.stamp?.accelerator;
  // `auto` of the project is decided once, so that another machine does not make another lock.
  const kept = configured === "auto" ? (locked ?? configured) : (configured ?? locked);
  const wanted = request.accelerator ?? kept;
  return chooseAccelerator(wanted, await automaticAccelerator(place, project.project, wanted));
}

/** Options of this call, of the project, then of the lock that is there. */
function stampFor(
  { request, project, previous, inputs }: Job,
  { target, platform, accelerator }: StampFacts,
): LockStamp {
  return {
    inputs: inputsDigest(inputs),
    files: project.project.inputs.files,
    extras: inputs.extras,
    groups: inputs.groups,
    python: target.version,
    platform,
    libc: target.libc,
    isUniversal: request.isUniversal ?? previous?.stamp?.isUniversal ?? false,
    ...(accelerator === undefined ? {} : { accelerator }),
    resolver: `uv ${UV_VERSION}`,
  };
}

/** Made from the same for the same; another bug fix release of Python is the same where every file fits. */
function isMadeFor({ lock, stamp }: NonNullable<Job["previous"]>, wanted: LockStamp, target: PythonTarget): boolean {
  if (!stamp || keyOf(stamp) !== keyOf(wanted)) return false;
  try {
    return packagesOf(lock, target).length >= 0;
  } catch (error) {
    if (isTareError(error, "E_NO_WHEEL")) return false;
    throw error;
  }
}

function keyOf({ inputs, extras, groups, python, platform, isUniversal, accelerator }: LockStamp): string {
  const minor = python.split(".").slice(0, 2).join(".");
  return canonicalJson({ inputs, extras, groups, minor, platform, isUniversal, accelerator: accelerator ?? "" });
}

async function resolveJob(
  { place, request, project, preferences, inputs }: Job,
  stamp: LockStamp,
  found: LockTarget,
): Promise<{ readonly pylock: string; readonly warnings: readonly string[] }> {
  const { store, wheels, env } = place;
  const lease = store.lease();
  try {
    const { pins } = inputs;
    const { target, base } = found;
    const runIsolated = base && isolatedUv(isolatedFor({ place, request, project, lease, target, base }));
    return await resolve(
      { store, wheels, env, ...(request.signal === undefined ? {} : { signal: request.signal }) },
      {
        folder: project.root,
        files: pins ? [writePins({ lease }, pins)] : inputs.files,
        target,
        extras: inputs.extras,
        groups: inputs.groups,
        isUniversal: stamp.isUniversal,
        noDependencies: project.project.inputs.kind === "pins",
        refresh: true,
        ...(stamp.accelerator === undefined ? {} : { accelerator: stamp.accelerator }),
        ...(preferences === undefined || request.upgrade === true ? {} : { previous: preferences }),
        ...(request.upgrade === undefined ? {} : { upgrade: request.upgrade }),
        ...(runIsolated === undefined ? {} : { runIsolated }),
      },
    );
  } finally {
    lease.release();
  }
}

/** Where sources are asked what they need, when the base is here. */
function isolatedFor(
  about: Pick<Job, "place" | "request" | "project"> & {
    readonly lease: Lease;
    readonly target: PythonTarget;
    readonly base: ResolvedImage;
  },
): IsolatedPlace {
  const { place, request, project, lease, target, base } = about;
  return {
    place,
    lease,
    base,
    target,
    platform: { os: "linux", architecture: target.architecture },
    packages: project.project.config.buildPackages,
    indexUrls: [],
    network: "default",
    epoch: DEFAULT_EPOCH,
    signal: request.signal ?? new AbortController().signal,
    ...(request.listener === undefined ? {} : { listener: request.listener }),
  };
}

/** The user's own requirements that a lock does not satisfy; told without asking an index. */
function problemsOf(lock: Lock, inputs: LockInputs, target: PythonTarget): readonly string[] {
  const environment = { ...markerEnvironment(target), extra: "" };
  return directRequirements(inputs).flatMap((requirement) => {
    const { name, specifier, marker } = requirement;
    if (marker && !evaluateMarker(marker, environment)) return [];
    const shown = formatRequirement({ ...requirement, ...(requirement.url === undefined ? {} : { url: "…" }) });
    const locked = lock.packages.filter((each) => each.name === name);
    if (locked.length === 0) return [`\`${shown}\` is asked for, and not in it`];
    const versions = locked.flatMap(({ version }) => version ?? []);
    const fits =
      versions.length === 0 || versions.some((each) => matchesSpecifier(each, specifier, { prereleases: true }));
    return fits ? [] : [`\`${shown}\` is asked for, it has ${versions.join(", ")}`];
  });
}

interface About {
  readonly job: Job;
  readonly stamp: LockStamp;
  readonly target: PythonTarget;
  readonly reason: string;
}

interface Outcome {
  readonly text: string;
  readonly problems: readonly string[];
  readonly warnings?: readonly string[];
  readonly isWritten?: boolean;
}

function resultOf({ job, stamp, target, reason }: About, outcome: Outcome): LockResult {
  const lock = readLock(outcome.text, job.file);
  const packages = packagesOf(lock, target);
  const changes = lockChanges(job.previous?.lock, lock);
  return {
    file: relative(job.project.root, job.file),
    inputs: job.project.project.inputs.files,
    python: target.version,
    pythonReason: reason,
    platform: stamp.platform,
    isUniversal: stamp.isUniversal,
    ...(stamp.accelerator === undefined ? {} : { accelerator: stamp.accelerator }),
    packages,
    changes,
    size: packages.reduce((sum, { size = 0 }) => sum + size, 0),
    isCurrent: changes.length === 0 && outcome.problems.length === 0,
    isWritten: outcome.isWritten ?? false,
    problems: outcome.problems,
    warnings: outcome.warnings ?? [],
  };
}

function packagesOf(lock: Lock, target: PythonTarget): readonly LockedVersion[] {
  return selectFromLock(lock, target, { extras: [], groups: [] }).map(({ name, version, wheel, sdist, source }) => {
    const file = wheel ?? sdist ?? (source?.kind === "archive" ? source.file : undefined);
    return {
      name,
      ...(version === undefined ? {} : { version }),
      ...(file?.size === undefined ? {} : { size: file.size }),
      isWheel: wheel !== undefined,
    };
  });
}
