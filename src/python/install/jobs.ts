// SPDX-License-Identifier: Apache-2.0
/* The work on a layer of distributions that may run in a thread: each kind reads the wheels and needs nothing else. */
import * as fs from "node:fs";
import { measurePlanned, packAndSplice, splicePlanned } from "../../archive/index.ts";
import { ioError, writeAll } from "../../base/index.ts";
import { LaneWriter, readLane, stopLane } from "./hash-lane.ts";
import { LAYER_TIME, openLayerFiles, otherHash } from "./layer-files.ts";
import { unpack } from "./unpack.ts";
import type { PackResult, SpliceLayout, SpliceResult } from "../../archive/index.ts";
import type { InstallSettings, ReplacedFile, WheelToInstall } from "./layer-files.ts";
import type { UnpackJob, UnpackReport } from "./unpack.ts";

/** Reads all contents once, checks them, writes nothing. */
export interface MeasureJob {
  readonly kind: "measure";
  readonly wheels: readonly WheelToInstall[];
  readonly settings: InstallSettings;
  /** Another thread hashes: a `HashJob` with the same lane. */
  readonly lane?: SharedArrayBuffer;
}

/** Hashes what a measuring thread decodes. */
export interface HashJob {
  readonly kind: "hash";
  readonly lane: SharedArrayBuffer;
}

/** The tar that a layer would be, and its facts. */
export interface MeasureReport extends Pick<PackResult, "diffId" | "size" | "contentSize" | "entries"> {
  readonly replaced: readonly ReplacedFile[];
}

/** Writes the layer's gzip blob to a new file, from the wheels' own compressed bytes. */
export interface SpliceJob {
  readonly kind: "splice";
  readonly wheels: readonly WheelToInstall[];
  readonly settings: InstallSettings;
  /** Absolute path; must not exist. */
  readonly target: string;
  readonly layout: SpliceLayout;
}

/** Both in one go: the blob in layout `ms`. */
export interface MakeJob extends Omit<SpliceJob, "kind" | "layout"> {
  readonly kind: "make";
}

/** A layer that was measured and written. */
export interface MakeReport {
  readonly measured: MeasureReport;
  readonly blob: SpliceResult;
}

/** What a thread may be asked for. */
export type InstallJob = UnpackJob | MeasureJob | HashJob | SpliceJob | MakeJob;

/** The answer to a kind of job. */
export type ReportOf<Job extends InstallJob> = Job extends UnpackJob
  ? UnpackReport
  : Job extends MeasureJob
    ? MeasureReport
    : Job extends MakeJob
      ? MakeReport
      : Job extends HashJob
        ? undefined
        : SpliceResult;

/** Does a job here. */
export async function runJob(
  job: InstallJob,
  signal?: AbortSignal,
): Promise<UnpackReport | MeasureReport | SpliceResult | MakeReport | undefined> {
  switch (job.kind) {
    case "unpack":
      return unpack(job, signal);
    case "measure":
      return measure(job, signal);
    case "hash":
      readLane(job.lane);
      return undefined;
    case "splice":
      return splice(job, signal);
    case "make":
      return make(job, signal);
  }
}

async function measure(
  { wheels, settings, lane }: MeasureJob,
  signal: AbortSignal | undefined,
): Promise<MeasureReport> {
  const hasher = lane && new LaneWriter(lane, otherHash);
  const layer = openLayerFiles(wheels, settings, hasher && ((hash, file) => hasher.observer(hash, file)));
  try {
    const options = { ...planned(signal), ...(hasher === undefined ? {} : { hasher }) };
    return measured(await measurePlanned(layer.files, options), layer);
  } finally {
    layer.close();
    if (lane) stopLane(lane);
  }
}

function measured(
  { diffId, size, contentSize, entries }: PackResult,
  { replaced }: Pick<MeasureReport, "replaced">,
): MeasureReport {
  return { diffId, size, contentSize, entries, replaced };
}

async function make(job: MakeJob, signal: AbortSignal | undefined): Promise<MakeReport> {
  const layer = openLayerFiles(job.wheels, job.settings);
  try {
    const { tar, blob } = await toFile(job.target, (sink) => packAndSplice(layer.files, sink, planned(signal)));
    return { measured: measured(tar, layer), blob };
  } finally {
    layer.close();
  }
}

async function splice(job: SpliceJob, signal: AbortSignal | undefined): Promise<SpliceResult> {
  const layer = openLayerFiles(job.wheels, job.settings);
  try {
    return await toFile(job.target, (sink) =>
      splicePlanned(layer.files, sink, { ...planned(signal), layout: job.layout }),
    );
  } finally {
    layer.close();
  }
}

async function toFile<T>(path: string, write: (sink: { write(chunk: Uint8Array): void }) => Promise<T>): Promise<T> {
  const file = fs.openSync(path, "wx", 0o600);
  try {
    return await write({ write: (chunk) => writeAll(file, chunk) });
  } catch (error) {
    fs.rmSync(path, { force: true });
    throw ioError(`writing \`${path}\``, error);
  } finally {
    fs.closeSync(file);
  }
}

function planned(signal: AbortSignal | undefined): { readonly time: number; readonly signal?: AbortSignal } {
  return { time: LAYER_TIME, ...(signal === undefined ? {} : { signal }) };
}
