// SPDX-License-Identifier: Apache-2.0
/*
 * What processes use of GPUs that the kernel's graphics side (DRM) has: AMD's, Intel's. Each open file of one has a text
 * in /proc/<pid>/fdinfo with the same keys for every driver (Documentation/gpu/drm-usage-stats.rst).
 */
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { namesIn, readFact } from "../host/read.ts";
import type { HostRoots } from "../host/roots.ts";

/** One use of one GPU; files that were opened once and shared are one. */
export interface DrmClient {
  readonly pid: number;
  /** `0000:03:00.0` */
  readonly bus: string;
  /** The driver's number for it. */
  readonly client: string;
  /** Bytes of the GPU's own memory. */
  readonly memory: number;
  /** Nanoseconds that each kind of engine has worked for it; with `xe` cycles, see `total`. */
  readonly engines: ReadonlyMap<string, DrmEngine>;
}

/** How long an engine has worked: nanoseconds, or cycles out of so many that have passed. */
export interface DrmEngine {
  readonly busy: number;
  readonly total?: number;
  /** How many engines of this kind share the number. */
  readonly capacity: number;
}

/** Regions that are memory of a GPU itself, by driver: `vram` (amdgpu), `local0` (i915), `vram0` (xe). */
const OWN_MEMORY = /^(?:vram|local)\d*$/;
/** Of the same region the first of these counts; drivers before Linux 6.8 write only the last. */
const MEMORY_KINDS = ["resident", "total", "memory"] as const;

/** The uses by these processes. A process that is gone or that this user may not look at has none. */
export function drmClients(roots: HostRoots, pids: readonly number[]): readonly DrmClient[] {
  const seen = new Set<string>();
  return pids.flatMap((pid) =>
    texts(roots, pid).flatMap((text) => {
      const client = parseClient(text, pid);
      const key = client && `${client.bus} ${client.client}`;
      if (client === undefined || key === undefined || seen.has(key)) return [];
      seen.add(key);
      return [client];
    }),
  );
}

/** All processes of this host. */
export function hostProcesses(roots: HostRoots): readonly number[] {
  return namesIn(join(roots.kernel, "proc"))
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function texts(roots: HostRoots, pid: number): readonly string[] {
  const folder = join(roots.kernel, "proc", String(pid));
  const open = namesIn(join(folder, "fd")).filter((name) => linkOf(join(folder, "fd", name)).startsWith("/dev/dri/"));
  return open.flatMap((name) => readFact(join(folder, "fdinfo", name)) ?? []);
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // The process has closed it, or ended.
    return "";
  }
}

/** From the text of a file in fdinfo; undefined for one that is no use of a GPU on the PCI bus. */
export function parseClient(text: string, pid: number): DrmClient | undefined {
  const rows = text.split("\n").flatMap((line) => {
    const [, key, value] = /^drm-([^:]+):\s*(.*\S)/.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value] as const];
  });
  const facts = new Map(rows);
  const [bus, client] = [facts.get("pdev"), facts.get("client-id")];
  if (bus === undefined || client === undefined) return undefined;
  return { pid, bus, client, memory: ownMemory(facts), engines: enginesOf(facts) };
}

type Facts = ReadonlyMap<string, string>;

function ownMemory(facts: Facts): number {
  const regions = new Map<string, number>();
  for (const kind of MEMORY_KINDS) {
    for (const [key, value] of facts) {
      const region = key.startsWith(`${kind}-`) ? key.slice(kind.length + 1) : "";
      if (OWN_MEMORY.test(region) && !regions.has(region)) regions.set(region, bytesOf(value));
    }
  }
  return [...regions.values()].reduce((sum, bytes) => sum + bytes, 0);
}

const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

function bytesOf(text: string): number {
  const [, digits, unit] = /^(\d+)(?: (\w+))?$/.exec(text) ?? [];
  return Number(digits ?? 0) * (unit === undefined ? 1 : (UNITS[unit] ?? 1));
}

function enginesOf(facts: Facts): ReadonlyMap<string, DrmEngine> {
  const engines = new Map<string, DrmEngine>();
  for (const [key, value] of facts) {
    const [, kind, name] = /^(engine|cycles)-(?!capacity-)(.+)$/.exec(key) ?? [];
    if (kind === undefined || name === undefined) continue;
    const total = kind === "cycles" ? facts.get(`total-cycles-${name}`) : undefined;
    const capacity = numberOf(facts.get(`engine-capacity-${name}`)) || 1;
    engines.set(name, { busy: numberOf(value), capacity, ...(total === undefined ? {} : { total: numberOf(total) }) });
  }
  return engines;
}

function numberOf(text: string | undefined): number {
  return Number(/^\d+/.exec(text ?? "")?.[0] ?? 0);
}
