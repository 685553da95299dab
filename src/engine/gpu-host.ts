// SPDX-License-Identifier: Apache-2.0
/*
 * The GPUs of this host with what only the driver's library knows: CUDA, compute capability, brand. Asking it takes a
 * process and a tenth of a second or more, and its answer holds until the driver or the cards change: it is kept beside
 * what the files of /proc and /sys said then.
 */
import { join } from "node:path";
import { digestOfValue, ensureDirectory, readTextIfPresent, writeFileAtomic } from "../base/index.ts";
import { describeHost, discoverGpus } from "../gpu/index.ts";
import type { HostGpu, HostGpus } from "../gpu/index.ts";
import type { Rooms } from "./rooms.ts";

/** This host's GPUs, described once for each state of its drivers. Throws `E_ABORTED`. */
export async function describedHost({ settings }: Rooms, signal?: AbortSignal): Promise<HostGpus> {
  const { driverRoot, runRoot } = settings;
  const found = discoverGpus({ driverRoot });
  if (!found.gpus.some(({ vendor }) => vendor === "nvidia")) return found;
  const file = join(runRoot, "gpu-host.json");
  const key = digestOfValue({ driverRoot, found });
  const known = knownFacts(file, key);
  if (known) return withFacts(found, known);
  const described = await describeHost({ driverRoot }, signal === undefined ? {} : { signal });
  const until = isComplete(described) ? {} : { until: String(Date.now() + PATIENCE) };
  ensureDirectory(runRoot);
  writeFileAtomic(file, JSON.stringify({ ...factsOf(described), ...until, key }));
  return described;
}

/** How long a library that did not answer is not asked again, in milliseconds. */
const PATIENCE = 60_000;

/** Texts by name: `cuda`, and for each GPU `INDEX architecture`, `INDEX brand`. */
type Facts = Readonly<Record<string, string>>;

function isComplete({ gpus }: HostGpus): boolean {
  return gpus.every(({ vendor, architecture }) => vendor !== "nvidia" || architecture !== undefined);
}

function factsOf({ drivers, gpus }: HostGpus): Facts {
  const cuda = drivers.find(({ vendor }) => vendor === "nvidia")?.cuda;
  const rows = gpus.flatMap(({ vendor, index, architecture, brand }) => {
    if (vendor !== "nvidia") return [];
    const own = [["architecture", architecture] as const, ["brand", brand] as const];
    return own.flatMap(([name, value]) => (value === undefined ? [] : [[`${index} ${name}`, value] as const]));
  });
  return { ...(cuda === undefined ? {} : { cuda }), ...Object.fromEntries(rows) };
}

function withFacts(found: HostGpus, facts: Facts): HostGpus {
  const { cuda } = facts;
  return {
    ...found,
    drivers: found.drivers.map((each) => (each.vendor === "nvidia" && cuda !== undefined ? { ...each, cuda } : each)),
    gpus: found.gpus.map((gpu) => (gpu.vendor === "nvidia" ? { ...gpu, ...gpuFacts(gpu, facts) } : gpu)),
  };
}

function gpuFacts({ index }: HostGpu, facts: Facts): Pick<HostGpu, "architecture" | "brand"> {
  const [architecture, brand] = [facts[`${index} architecture`], facts[`${index} brand`]];
  return { ...(architecture === undefined ? {} : { architecture }), ...(brand === undefined ? {} : { brand }) };
}

/** What is kept, when it is of this state of the host. */
function knownFacts(file: string, key: string): Facts | undefined {
  const text = readTextIfPresent(file);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!isFacts(value) || value["key"] !== key) return undefined;
    return Number(value["until"] ?? Infinity) > Date.now() ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFacts(value: unknown): value is Facts {
  return typeof value === "object" && value !== null && Object.values(value).every((each) => typeof each === "string");
}
