// SPDX-License-Identifier: Apache-2.0
/* What containers use, in rounds: the kernel counts, and a share of the processors is the difference of two counts. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { cgroupFolders, cgroupProcesses, cgroupUsage } from "../runtime/index.ts";
import type { CgroupFolders, CgroupUsage } from "../runtime/index.ts";
import { recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import type { ContainerView } from "./filters.ts";
import { allViews, findContainer, viewOf } from "./find.ts";
import type { GpuSampler } from "../gpu/index.ts";
import type { GpuShare } from "./gpu-usage.ts";
import { readProcess } from "./process-identity.ts";

/** `stats`. */
export interface StatsRequest {
  /** Names or ids; none: those that run. */
  readonly containers: readonly string[];
  /** Without names: those too that do not run. */
  readonly all: boolean;
  /** Round after round until the signal; else one round. */
  readonly stream: boolean;
  readonly signal?: AbortSignal;
}

/** A row of `stats`. What the kernel does not count is absent; one that does not run has zeros. */
export interface ContainerStats {
  readonly id: string;
  readonly name: string;
  /** As it was asked for; else its id. */
  readonly container: string;
  readonly running: boolean;
  /** 100 is one processor. */
  readonly cpuPercent?: number;
  /** Bytes, without what the kernel only keeps in its file cache. */
  readonly memory?: number;
  /** Bytes: its limit, or the host's memory. */
  readonly memoryLimit?: number;
  readonly memoryPercent?: number;
  /** Bytes since the start, of a network of its own. */
  readonly received?: number;
  readonly sent?: number;
  readonly blockRead?: number;
  readonly blockWritten?: number;
  readonly pids?: number;
  /** Only where a GPU's driver answers. */
  readonly gpu?: GpuShare;
}

/** Time between two rounds, and between the first two counts. */
const INTERVAL = 1000;
const FIRST_INTERVAL = 500;

interface Count {
  readonly usage: CgroupUsage;
  readonly folders: CgroupFolders;
  /** Nanoseconds. */
  readonly at: bigint;
}

interface Target {
  readonly asked: string;
  readonly view: ContainerView;
}

/**
 * Rounds of rows, in the order asked for or newest first. Named containers that go away leave the list. Throws
 * `E_CONTAINER_NOTFOUND` before the first round.
 */
export async function* containerStats(
  context: ContainersContext,
  request: StatsRequest,
): AsyncGenerator<readonly ContainerStats[], void, undefined> {
  const ids = request.containers.map((text) => ({ asked: text, id: findContainer(context, text).id }));
  const sampler = await context.gpuUsage?.open();
  try {
    yield* rounds(context, request, ids, sampler);
  } finally {
    sampler?.close();
  }
}

async function* rounds(
  context: ContainersContext,
  request: StatsRequest,
  ids: readonly Asked[],
  sampler: GpuSampler | undefined,
): AsyncGenerator<readonly ContainerStats[], void, undefined> {
  const { signal } = request;
  let before = countAll(targetsOf(context, request, ids));
  // A driver needs time to answer for the first time, and its shares of time are differences too.
  gpuOf(sampler, before).catch(() => undefined);
  let interval = FIRST_INTERVAL;
  do {
    await sleep(interval, undefined, signal ? { signal } : {}).catch(() => undefined);
    if (signal?.aborted) return;
    const targets = targetsOf(context, request, ids);
    if (ids.length > 0 && targets.length === 0) return;
    const now = countAll(targets);
    const gpu = await gpuOf(sampler, now);
    yield targets.map((target) => {
      const { id } = target.view.record;
      return rowOf(target, { before: before.get(id), now: now.get(id), gpu });
    });
    before = now;
    interval = INTERVAL;
  } while (request.stream);
}

async function gpuOf(sampler: GpuSampler | undefined, counts: Counted): Promise<Counts["gpu"]> {
  return sampler?.sample([...counts.values()].flatMap(({ folders }) => cgroupProcesses(folders)));
}

type Counted = ReadonlyMap<string, Count>;

interface Asked {
  readonly asked: string;
  readonly id: string;
}

function targetsOf(context: ContainersContext, request: StatsRequest, ids: readonly Asked[]): readonly Target[] {
  if (request.containers.length > 0) {
    const records = recordsOf(context);
    return ids.flatMap(({ asked, id }) => {
      const record = records.get(id);
      return record ? [{ asked, view: viewOf(context, record) }] : [];
    });
  }
  const shown = allViews(context).filter(({ state }) => request.all || state.status === "running");
  return shown.map((view) => ({ asked: view.record.id, view }));
}

function countAll(targets: readonly Target[]): Counted {
  const mountinfo = readFileSync("/proc/self/mountinfo", "utf8");
  const counts = new Map<string, Count>();
  for (const { view } of targets) {
    const count = countOf(view, mountinfo);
    if (count) counts.set(view.record.id, count);
  }
  return counts;
}

function countOf({ record, state }: ContainerView, mountinfo: string): Count | undefined {
  if (state.status !== "running" || state.pid === 0) return undefined;
  const folders = cgroupFolders(readProcess(state.pid, "cgroup") ?? "", mountinfo, record.id);
  return { usage: cgroupUsage(folders) ?? {}, folders, at: process.hrtime.bigint() };
}

interface Counts {
  readonly before: Count | undefined;
  readonly now: Count | undefined;
  readonly gpu: ReadonlyMap<number, GpuShare> | undefined;
}

function rowOf({ asked, view }: Target, { before, now, gpu }: Counts): ContainerStats {
  const { record, state } = view;
  const names = { id: record.id, name: record.name, container: asked };
  if (!now) return { ...names, running: false, ...NOTHING };
  const { cpuNanoseconds: _, ...usage } = now.usage;
  const cpuPercent = before && percentOf(before, now);
  const { memory, memoryLimit } = usage;
  const memoryPercent = memory !== undefined && memoryLimit ? (memory / memoryLimit) * 100 : undefined;
  const share = gpu && shareOf(gpu, cgroupProcesses(now.folders));
  return {
    ...names,
    running: true,
    ...(cpuPercent === undefined ? {} : { cpuPercent }),
    ...usage,
    ...(memoryPercent === undefined ? {} : { memoryPercent }),
    ...(record.host.network === "host" ? NO_TRAFFIC : trafficOf(readProcess(state.pid, "net/dev") ?? "")),
    ...(share ? { gpu: share } : {}),
  };
}

const NO_TRAFFIC = { received: 0, sent: 0 };
const NOTHING = {
  cpuPercent: 0,
  memory: 0,
  memoryLimit: 0,
  memoryPercent: 0,
  ...NO_TRAFFIC,
  blockRead: 0,
  blockWritten: 0,
  pids: 0,
};

/** Absent after a restart, when the count has begun anew. */
function percentOf(before: Count, now: Count): number | undefined {
  const [old, current] = [before.usage.cpuNanoseconds, now.usage.cpuNanoseconds];
  const time = Number(now.at - before.at);
  if (old === undefined || current === undefined || current < old || time <= 0) return undefined;
  return ((current - old) / time) * 100;
}

/** Bytes of all interfaces but the loopback, from a text of `/proc/<pid>/net/dev`. */
export function trafficOf(text: string): { readonly received?: number; readonly sent?: number } {
  const rows = text.split("\n").flatMap((line) => {
    const [, name = "", values = ""] = /^\s*([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    const numbers = values.trim().split(/\s+/).map(Number);
    return name === "" || name === "lo" || numbers.length < 9 ? [] : [numbers];
  });
  if (text === "") return {};
  const sum = (column: number): number => rows.reduce((total, row) => total + (row[column] ?? 0), 0);
  return { received: sum(0), sent: sum(8) };
}

/** What processes of this container use of GPUs; a container without any uses nothing. */
function shareOf(gpu: ReadonlyMap<number, GpuShare>, pids: readonly number[]): GpuShare {
  const shares = pids.flatMap((pid) => gpu.get(pid) ?? []);
  const percents = shares.flatMap(({ percent }) => percent ?? []);
  const memories = shares.flatMap(({ memory }) => memory ?? []);
  return {
    ...(memories.length === shares.length ? { memory: sumOf(memories) } : {}),
    ...(percents.length > 0 ? { percent: sumOf(percents) } : {}),
  };
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, value) => sum + value, 0);
}
