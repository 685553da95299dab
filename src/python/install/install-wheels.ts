// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { availableParallelism } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import { newLane, stopLane } from "./hash-lane.ts";
import { LAYER_TIME } from "./layer-files.ts";
import { runJob } from "./jobs.ts";
import { WorkerPool } from "./worker-pool.ts";
import type { SpliceLayout, SpliceResult } from "../../archive/index.ts";
import type { InstallJob, MeasureReport, ReportOf } from "./jobs.ts";
import type { InstallSettings, ReplacedFile, WheelToInstall } from "./layer-files.ts";

/** What an installation wrote. */
export interface Installed {
  readonly files: number;
  /** Bytes of content. */
  readonly size: number;
  /** Files that a later wheel replaced, as pip would: worth a warning. */
  readonly replaced: readonly ReplacedFile[];
}

/** Below this many compressed bytes a thread costs more than it gives. */
const THREAD_FROM = 6 << 20;
/** From this many compressed bytes on a layer is hashed by a thread of its own while another one decodes it. */
const LANE_FROM = 64 << 20;
/** A layer of more than this is unpacked by several threads. */
const SPLIT_FROM = 24 << 20;

let pool: WorkerPool | undefined;

/**
 * Installs wheels into the empty tree of a layer, in order: of two files at one path the later one stays, as with pip.
 * Everything has the mode 644 or 755 and the fixed time. On an error the tree is worthless. Throws `E_WHEEL`,
 * `E_WHEEL_RECORD`, `E_ZIP…`, `E_BOMB`, `E_NOSPACE`, `E_ABORTED`.
 */
export async function installWheels(
  wheels: readonly WheelToInstall[],
  tree: string,
  settings: InstallSettings,
  signal?: AbortSignal,
): Promise<Installed> {
  const cost = costOf(wheels);
  const parts = cost >= SPLIT_FROM ? threads().size : 1;
  const jobs = Array.from(
    { length: parts },
    (_, part) => ({ kind: "unpack", wheels, settings, tree, part, parts }) as const,
  );
  const settled = await Promise.allSettled(jobs.map((job) => work(job, cost / parts, signal)));
  const reports = settled.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  const folders = new Set(reports.flatMap((report) => report.folders));
  // Deepest first: what is put into a folder changes its time.
  for (const folder of [...folders].sort().toReversed()) fs.utimesSync(folder, LAYER_TIME, LAYER_TIME);
  return {
    files: reports.reduce((sum, report) => sum + report.files, 0),
    size: reports.reduce((sum, report) => sum + report.size, 0),
    replaced: reports[0]?.replaced ?? [],
  };
}

/**
 * The facts of the layer that `installWheels` would fill, without writing it: every content is read and checked once.
 * Several layers are measured at the same time. Throws as `installWheels`.
 */
export async function measureWheelLayer(
  wheels: readonly WheelToInstall[],
  settings: InstallSettings,
  signal?: AbortSignal,
): Promise<MeasureReport> {
  const cost = costOf(wheels);
  if (cost < LANE_FROM || threads().spare < 2) return work({ kind: "measure", wheels, settings }, cost, signal);
  const lane = newLane();
  const stop = (error: unknown): never => {
    stopLane(lane);
    throw error;
  };
  const hashing = threads().run({ kind: "hash", lane }, cost, signal).catch(stop);
  const measuring = threads().run({ kind: "measure", wheels, settings, lane }, cost, signal).catch(stop);
  const [hashed, measured] = await Promise.allSettled([hashing, measuring]);
  if (hashed.status === "rejected") throw hashed.reason;
  if (measured.status === "rejected") throw measured.reason;
  return measured.value;
}

/** Where and how a layer's blob is written. */
export interface SpliceTarget {
  /** Absolute path of a file that does not exist yet. */
  readonly path: string;
  /** Default `ms`. */
  readonly layout?: SpliceLayout;
  readonly signal?: AbortSignal;
}

/** Writes the gzip blob of a layer from its wheels alone. The wheels must have been measured or unpacked before. */
export async function spliceWheelLayer(
  wheels: readonly WheelToInstall[],
  settings: InstallSettings,
  { path, layout = "ms", signal }: SpliceTarget,
): Promise<SpliceResult> {
  return work({ kind: "splice", wheels, settings, target: path, layout }, costOf(wheels), signal);
}

/** Where the blob of a layer that is made goes, and who wants it. */
export interface MakeTarget {
  /** Absolute path of a file that does not exist yet. */
  readonly path: string;
  /** Called as soon as the blob is written whole; its layer may still turn out to be damaged. */
  readonly onBlob: (blob: SpliceResult) => void;
  readonly signal?: AbortSignal;
}

/** Compressed bytes of the layers that somebody asked to be made in this turn. */
let arriving = 0;

/**
 * Measures a layer and writes its blob (layout `ms`). One that is waited for longest (alone, or with more than a thread's
 * share of what there is to do) is given two threads; others are read once, since all threads have work. Throws as
 * `installWheels`.
 */
export async function makeWheelLayer(
  wheels: readonly WheelToInstall[],
  settings: InstallSettings,
  target: MakeTarget,
): Promise<MeasureReport> {
  const cost = costOf(wheels);
  if (await isWaitedFor(cost)) return makeOnTwoThreads(wheels, settings, target);
  const { path, onBlob, signal } = target;
  const { measured, blob } = await work({ kind: "make", wheels, settings, target: path }, cost, signal);
  onBlob(blob);
  return measured;
}

async function makeOnTwoThreads(
  wheels: readonly WheelToInstall[],
  settings: InstallSettings,
  { path, onBlob, signal }: MakeTarget,
): Promise<MeasureReport> {
  const place = { path, ...(signal === undefined ? {} : { signal }) };
  const writing = spliceWheelLayer(wheels, settings, place).then((blob) => {
    onBlob(blob);
    return blob;
  });
  const [measured, blob] = await Promise.all([measureWheelLayer(wheels, settings, signal), writing]);
  if (blob.diffIdSize === measured.size) return measured;
  throw new Error(`${measured.diffId}: ${blob.diffIdSize} bytes were spliced, ${measured.size} measured`);
}

async function isWaitedFor(cost: number): Promise<boolean> {
  arriving += cost;
  await nextTurn();
  const { size, spare } = threads();
  const isLong = cost >= THREAD_FROM && spare >= 2 && cost * size >= arriving;
  // The others of this turn have looked when the next one begins.
  void nextTurn().then(() => (arriving -= cost));
  return isLong;
}

/** Says that a layer will be made soon: threads start while it is found out of what. */
export function expectWheelLayers(): void {
  threads().warmUp(2);
}

function costOf(wheels: readonly WheelToInstall[]): number {
  return wheels.reduce((sum, { file }) => sum + fs.statSync(file).size, 0);
}

async function work<Job extends InstallJob>(
  job: Job,
  cost: number,
  signal: AbortSignal | undefined,
): Promise<ReportOf<Job>> {
  // Where threads are, this one has enough to do with what they make.
  if (cost >= THREAD_FROM || pool?.isWarm) return threads().run(job, cost, signal);
  return (await runJob(job, signal)) as ReportOf<Job>;
}

function threads(): WorkerPool {
  return (pool ??= new WorkerPool(availableParallelism()));
}
