// SPDX-License-Identifier: Apache-2.0
/* The limits of containers: Docker's flags, in one table for `run`, `create` and `update`. */
import {
  parseBytes,
  parseCpus,
  parseMemorySwap,
  parsePidsLimit,
  parseThrottleBps,
  parseThrottleIops,
  parseUlimits,
  parseWeightDevice,
} from "../options/index.ts";
import { allValues, defined, flagValue, oneValue } from "./flag-value.ts";
import type { DeviceValue, LimitChanges, ResourceRequest } from "../engine/index.ts";
import type { OptionSpec } from "./command.ts";
import type { ParsedArguments } from "./parsed.ts";

/** A flag and the part of the request that it makes. */
interface Limit<Key extends keyof ResourceRequest = keyof ResourceRequest> {
  readonly option: OptionSpec;
  readonly key: Key;
  read(parsed: ParsedArguments): ResourceRequest[Key] | undefined;
}

function limit<Key extends keyof ResourceRequest>(
  key: Key,
  option: Omit<OptionSpec, "type"> & { readonly type?: OptionSpec["type"] },
  read: (parsed: ParsedArguments) => ResourceRequest[Key] | undefined,
): Limit {
  return { key, option: { type: "string", ...option }, read };
}

type NumberKey = Extract<
  { [Key in keyof ResourceRequest]-?: number extends ResourceRequest[Key] ? Key : never }[keyof ResourceRequest],
  string
>;

function size(key: NumberKey, name: string, description: string, short?: string): Limit {
  const option = { name, description, valueName: "bytes", ...(short === undefined ? {} : { short }) };
  return limit(key, option, (parsed) => oneValue(parsed, name, parseBytes));
}

function whole(key: NumberKey, name: string, description: string, bounds: { min?: number; max?: number } = {}): Limit {
  return limit(key, { name, description, valueName: "int" }, (parsed) => parsed.integer(name, bounds));
}

function devices(
  key: "blkioWeightDevices" | "deviceReadBps" | "deviceReadIops" | "deviceWriteBps" | "deviceWriteIops",
  name: string,
  description: string,
  parse: (text: string) => DeviceValue,
): Limit {
  return limit(key, { name, type: "list", description }, (parsed) => {
    const values = allValues(parsed, name, parse);
    return values.length === 0 ? undefined : values;
  });
}

const bps = (text: string): DeviceValue => rateOf(parseThrottleBps(text));
const iops = (text: string): DeviceValue => rateOf(parseThrottleIops(text));

function rateOf({ path, rate }: { readonly path: string; readonly rate: number }): DeviceValue {
  return { path, value: rate };
}

function weightOf(text: string): DeviceValue {
  const { path, weight } = parseWeightDevice(text);
  return { path, value: weight };
}

/** What `update` changes too. */
const CHANGEABLE: readonly Limit[] = [
  size("memory", "memory", "Memory limit", "m"),
  size("memoryReservation", "memory-reservation", "Memory that it should stay below"),
  limit(
    "memorySwap",
    { name: "memory-swap", valueName: "bytes", description: "Limit of memory and swap together; -1: no limit of swap" },
    (parsed) => oneValue(parsed, "memory-swap", parseMemorySwap),
  ),
  limit("nanoCpus", { name: "cpus", valueName: "decimal", description: "Number of CPUs, as in `1.5`" }, (parsed) =>
    oneValue(parsed, "cpus", parseCpus),
  ),
  limit("cpuShares", { name: "cpu-shares", short: "c", valueName: "int", description: "Relative weight" }, (parsed) =>
    parsed.integer("cpu-shares", { min: 0 }),
  ),
  whole("cpuPeriod", "cpu-period", "Length of a CPU period in microseconds", { min: 0 }),
  whole("cpuQuota", "cpu-quota", "CPU time of a period in microseconds"),
  whole("cpuRealtimePeriod", "cpu-rt-period", "Length of a real-time period in microseconds", { min: 0 }),
  whole("cpuRealtimeRuntime", "cpu-rt-runtime", "Real-time of a period in microseconds", { min: 0 }),
  limit("cpusetCpus", { name: "cpuset-cpus", description: "CPUs to run on, as in `0-3,6`" }, (parsed) =>
    parsed.string("cpuset-cpus"),
  ),
  limit("cpusetMems", { name: "cpuset-mems", description: "Memory nodes to use" }, (parsed) =>
    parsed.string("cpuset-mems"),
  ),
  limit(
    "pidsLimit",
    { name: "pids-limit", valueName: "int", description: "Number of processes; -1: no limit" },
    (parsed) => oneValue(parsed, "pids-limit", parsePidsLimit),
  ),
  limit(
    "blkioWeight",
    { name: "blkio-weight", valueName: "uint16", description: "Relative weight of block I/O, 10 to 1000" },
    (parsed) => parsed.integer("blkio-weight", { min: 0, max: 65_535 }) || undefined,
  ),
];

/** What is decided at the creation. */
const FIXED: readonly Limit[] = [
  limit(
    "memorySwappiness",
    { name: "memory-swappiness", valueName: "int", description: "How readily memory is swapped out, 0 to 100" },
    (parsed) => {
      const value = parsed.integer("memory-swappiness");
      return value === -1 ? undefined : value;
    },
  ),
  limit(
    "oomKillDisable",
    { name: "oom-kill-disable", type: "boolean", description: "Stop instead of kill when memory runs out" },
    (parsed) => parsed.boolean("oom-kill-disable") || undefined,
  ),
  devices("blkioWeightDevices", "blkio-weight-device", "Weight of one device: `/dev/sda:500`", weightOf),
  devices("deviceReadBps", "device-read-bps", "Bytes a second to read: `/dev/sda:1mb`", bps),
  devices("deviceReadIops", "device-read-iops", "Reads a second: `/dev/sda:1000`", iops),
  devices("deviceWriteBps", "device-write-bps", "Bytes a second to write: `/dev/sda:1mb`", bps),
  devices("deviceWriteIops", "device-write-iops", "Writes a second: `/dev/sda:1000`", iops),
  size("shmSize", "shm-size", "Size of /dev/shm"),
  whole("oomScoreAdjust", "oom-score-adj", "Preference when memory runs out (-1000 to 1000)", {
    min: -1000,
    max: 1000,
  }),
  limit(
    "ulimits",
    { name: "ulimit", type: "list", valueName: "ulimit", description: "Resource limit, as in `nofile=1024:2048`" },
    (parsed) => flagValue(parsed, "ulimit", parsed.list("ulimit").join(" "), () => parseUlimits(parsed.list("ulimit"))),
  ),
];

/** Docker takes it and does nothing with it. */
const KERNEL_MEMORY: OptionSpec = {
  name: "kernel-memory",
  type: "string",
  valueName: "bytes",
  description: "Ignored, as by Docker: kernels have no such limit any more",
  hidden: true,
};

/** Flags of `run` and `create`. */
export const LIMIT_OPTIONS: readonly OptionSpec[] = [
  ...[...CHANGEABLE, ...FIXED].map(({ option }) => option),
  KERNEL_MEMORY,
  { name: "cgroup-parent", type: "string", description: "Parent cgroup of the container" },
];

/** Flags of `update`. */
export const UPDATE_OPTIONS: readonly OptionSpec[] = [...CHANGEABLE.map(({ option }) => option), KERNEL_MEMORY];

/** The limits of a container to be made. Throws `E_USAGE`. */
export function resourceRequest(parsed: ParsedArguments): ResourceRequest {
  return { ulimits: [], ...values([...CHANGEABLE, ...FIXED], parsed) };
}

/** The limits that `update` was given. Throws `E_USAGE`. */
export function limitChanges(parsed: ParsedArguments): LimitChanges {
  return values(CHANGEABLE, parsed);
}

function values(limits: readonly Limit[], parsed: ParsedArguments): Partial<ResourceRequest> {
  return defined(Object.fromEntries(limits.map(({ key, read }) => [key, read(parsed)])));
}
