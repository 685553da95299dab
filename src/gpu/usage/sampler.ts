// SPDX-License-Identifier: Apache-2.0
/* What processes use of GPUs, again and again: NVML stays open in its process, DRM's counts are compared with the last. */
import { isTareError } from "../../base/index.ts";
import { discoverGpus } from "../host/discover.ts";
import { rootsOf } from "../host/roots.ts";
import type { HostPlace, HostRoots } from "../host/roots.ts";
import { NvmlClient } from "../nvml/client.ts";
import { findNvml } from "../nvml/find-library.ts";
import { known } from "../nvml/known.ts";
import type { NvmlReport } from "../nvml/types.ts";
import { drmClients } from "./drm-clients.ts";
import type { DrmClient, DrmEngine } from "./drm-clients.ts";
import { hasKfd, kfdUses } from "./kfd.ts";

/** What a process uses of all GPUs together. */
export interface GpuUse {
  /** Bytes; absent where a driver does not say. */
  readonly memory?: number;
  /** 100 is one whole GPU; absent where no driver says. */
  readonly percent?: number;
}

/** A row of samples. */
export interface GpuSampler {
  /**
   * By pid, those asked for and perhaps others; undefined where no driver answers. Never waits longer than its limit: a
   * driver that is not ready by then is heard in a later round.
   */
  sample(pids: readonly number[]): Promise<ReadonlyMap<number, GpuUse> | undefined>;
  /** Ends what was started. */
  close(): void;
}

type Uses = ReadonlyMap<number, GpuUse>;
/** Part of a sampler: the GPUs of one kind of driver. */
type Source = (pids: readonly number[]) => Promise<Uses | undefined>;

/** Milliseconds that one round may take. */
const ROUND = 3000;

/** Opens a sampler; undefined on a host without GPUs. */
export function openGpuSampler(place: HostPlace = {}): GpuSampler | undefined {
  const roots = rootsOf(place);
  const { drivers } = discoverGpus(place);
  const nvidia = drivers.find(({ vendor }) => vendor === "nvidia");
  const library = nvidia && findNvml(roots.driver, nvidia);
  const client = library === undefined ? undefined : new NvmlClient(library);
  const sources = [
    ...(client ? [nvmlSource(client)] : []),
    ...(drivers.some(({ vendor }) => vendor !== "nvidia") ? [drmSource(roots)] : []),
  ];
  if (sources.length === 0) return undefined;
  return {
    sample: async (pids) => {
      const found = await Promise.all(sources.map(async (source) => source(pids)));
      const answers = found.flatMap((uses) => uses ?? []);
      return answers.length === 0 ? undefined : sumOf(answers);
    },
    close: () => client?.close(),
  };
}

function sumOf(all: readonly Uses[]): Uses {
  const sum = new Map<number, GpuUse>();
  for (const [pid, use] of all.flatMap((uses) => [...uses])) sum.set(pid, added(sum.get(pid), use));
  return sum;
}

/** What one does not tell is not known of both; shares may be told by some drivers only. */
function added(one: GpuUse | undefined, other: GpuUse): GpuUse {
  if (one === undefined) return other;
  const percents = [one.percent, other.percent].flatMap((percent) => percent ?? []);
  const isKnown = one.memory !== undefined && other.memory !== undefined;
  return {
    ...(isKnown ? { memory: one.memory + other.memory } : {}),
    ...(percents.length > 0 ? { percent: percents.reduce((sum, each) => sum + each, 0) } : {}),
  };
}

/** A question that takes longer than a round goes on into the next; one that failed is not asked again. */
function nvmlSource(client: NvmlClient): Source {
  let open: Promise<NvmlReport | undefined> | undefined;
  let isOver = false;
  const ask = async (): Promise<NvmlReport | undefined> => {
    try {
      return await client.ask("use");
    } catch (error) {
      if (!isTareError(error)) throw error;
      isOver = true;
      return undefined;
    }
  };
  return async () => {
    if (isOver) return undefined;
    open ??= ask();
    const report = await withinRound(open);
    if (report === "later") return undefined;
    open = undefined;
    return report && nvmlUses(report);
  };
}

async function withinRound<T>(answer: Promise<T>): Promise<T | "later"> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<"later">((resolve) => (timer = setTimeout(() => resolve("later"), ROUND)));
  try {
    return await Promise.race([answer, end]);
  } finally {
    clearTimeout(timer);
  }
}

function nvmlUses({ devices }: NvmlReport): Uses {
  const processes = devices.flatMap((device) => device.processes);
  return sumOf(processes.map(({ pid, memory, percent }) => new Map([[pid, known({ memory, percent })]])));
}

/** GPUs that only draw the screen are no reason for columns: without compute nodes something must use them. */
function drmSource(roots: HostRoots): Source {
  let before: Count | undefined;
  return async (pids) => {
    const now = { at: process.hrtime.bigint(), clients: drmClients(roots, pids) };
    const uses = sumOf([kfdMemory(roots, now.clients), ...now.clients.map((client) => drmUse(client, now.at, before))]);
    before = now;
    return Promise.resolve(uses.size === 0 && !hasKfd(roots) ? undefined : uses);
  };
}

interface Count {
  readonly at: bigint;
  readonly clients: readonly DrmClient[];
}

/** What a process computes with beyond what its open files show of the same memory. */
function kfdMemory(roots: HostRoots, clients: readonly DrmClient[]): Uses {
  return sumOf(
    kfdUses(roots).map(({ pid, bus, memory }) => {
      const shown = clients.filter((client) => client.pid === pid && client.bus === bus);
      const seen = shown.reduce((sum, client) => sum + client.memory, 0);
      return new Map([[pid, { memory: Math.max(0, memory - seen) }]]);
    }),
  );
}

function drmUse(client: DrmClient, at: bigint, before: Count | undefined): Uses {
  const last = before?.clients.find((each) => each.bus === client.bus && each.client === client.client);
  const percent = before && last && busiest(client, last, Number(at - before.at));
  return new Map([[client.pid, { memory: client.memory, ...(percent === undefined ? {} : { percent }) }]]);
}

/** Of the engine that worked most, as engines of one GPU work side by side. */
function busiest(now: DrmClient, last: DrmClient, nanoseconds: number): number | undefined {
  const shares = [...now.engines].flatMap(([name, engine]) => {
    const old = last.engines.get(name);
    return old === undefined ? [] : [shareOf(engine, old, nanoseconds)];
  });
  return shares.length === 0 ? undefined : Math.max(...shares);
}

function shareOf(now: DrmEngine, last: DrmEngine, nanoseconds: number): number {
  const passed = now.total === undefined || last.total === undefined ? nanoseconds : now.total - last.total;
  if (passed <= 0 || now.busy < last.busy) return 0;
  return ((now.busy - last.busy) / (passed * now.capacity)) * 100;
}
