// SPDX-License-Identifier: Apache-2.0
/* Limits: what may be asked for, what this kernel has of it, and what the runtime is told. Texts are Docker's. */
import { cpus } from "node:os";
import { TareError, readTextIfPresent } from "../base/index.ts";
import { hasLimit, readDevices } from "../runtime/index.ts";
import type { BlockDeviceLimit, OptionalLimit, ResourceLimits } from "../runtime/index.ts";
import type { DeviceValue, ResourceRequest } from "./request.ts";

const SMALLEST_MEMORY = 6 * 1024 * 1024;

type Check = readonly [fails: (limits: ResourceRequest) => boolean, text: string];

const between = (value: number | undefined, low: number, high: number): boolean =>
  !value || (value >= low && value <= high);

/** What no kernel takes. */
const CHECKS: readonly Check[] = [
  [({ memory }) => !between(memory, SMALLEST_MEMORY, Infinity), "Minimum memory limit allowed is 6MB"],
  [
    ({ memory, memorySwap = 0 }) => !memory && memorySwap > 0,
    "You should always set the Memory limit when using Memoryswap limit, see usage",
  ],
  [
    ({ memory = 0, memorySwap = 0 }) => memory > 0 && memorySwap > 0 && memorySwap < memory,
    "Minimum memoryswap limit should be larger than memory limit, see usage",
  ],
  [
    ({ memoryReservation }) => !between(memoryReservation, SMALLEST_MEMORY, Infinity),
    "Minimum memory reservation allowed is 6MB",
  ],
  [
    ({ memory = 0, memoryReservation = 0 }) => memory > 0 && memoryReservation > memory,
    "Minimum memory limit can not be less than memory reservation limit, see usage",
  ],
  [
    ({ memorySwappiness = 0 }) => memorySwappiness < -1 || memorySwappiness > 100,
    "Invalid value: valid memory swappiness range is 0-100",
  ],
  [
    ({ nanoCpus, cpuPeriod }) => Boolean(nanoCpus && cpuPeriod),
    "Conflicting options: Nano CPUs and CPU Period cannot both be set",
  ],
  [
    ({ nanoCpus, cpuQuota }) => Boolean(nanoCpus && cpuQuota),
    "Conflicting options: Nano CPUs and CPU Quota cannot both be set",
  ],
  [
    ({ cpuPeriod }) => !between(cpuPeriod, 1000, 1_000_000),
    "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
  ],
  [
    ({ cpuQuota }) => cpuQuota !== undefined && cpuQuota > 0 && cpuQuota < 1000,
    "CPU cfs quota can not be less than 1ms (i.e. 1000)",
  ],
  [
    ({ cpuRealtimePeriod = 0, cpuRealtimeRuntime = 0 }) =>
      cpuRealtimePeriod > 0 && cpuRealtimeRuntime > cpuRealtimePeriod,
    "cpu real-time runtime cannot be higher than cpu real-time period",
  ],
  [({ blkioWeight }) => !between(blkioWeight, 10, 1000), "Range of blkio weight is from 10 to 1000"],
];

interface Optional {
  readonly limit: OptionalLimit;
  readonly keys: readonly (keyof ResourceRequest)[];
  readonly text: string;
}

const missing = (what: string, discarded: string): string =>
  `Your kernel does not support ${what} or the cgroup is not mounted. ${discarded} discarded.`;

/** What some kernels lack; it is left out with a warning. */
const OPTIONAL: readonly Optional[] = [
  {
    limit: "swappiness",
    keys: ["memorySwappiness"],
    text: missing("memory swappiness capabilities", "Memory swappiness"),
  },
  {
    limit: "oomKillDisable",
    keys: ["oomKillDisable"],
    text: "Your kernel does not support OomKillDisable. OomKillDisable discarded.",
  },
  { limit: "blkioWeight", keys: ["blkioWeight"], text: missing("Block I/O weight", "Weight") },
  {
    limit: "blkioWeightDevice",
    keys: ["blkioWeightDevices"],
    text: missing("Block I/O weight_device", "Weight-device"),
  },
  { limit: "readBps", keys: ["deviceReadBps"], text: missing("BPS Block I/O read limit", "Block I/O BPS read limit") },
  {
    limit: "writeBps",
    keys: ["deviceWriteBps"],
    text: missing("BPS Block I/O write limit", "Block I/O BPS write limit"),
  },
  { limit: "readIops", keys: ["deviceReadIops"], text: missing("IOPS Block read limit", "Block I/O IOPS read limit") },
  {
    limit: "writeIops",
    keys: ["deviceWriteIops"],
    text: missing("IOPS Block write limit", "Block I/O IOPS write limit"),
  },
];

/** How `checkedLimits` sees the host; a test gives its own. */
export interface LimitHost {
  has(limit: OptionalLimit): boolean;
  readonly cpus: number;
  /** Lists as in `0-3,6`, of what is online. */
  readonly cpuList: string;
  readonly memoryNodes: string;
}

/** This host. */
function thisHost(): LimitHost {
  const online = (path: string): string => (readTextIfPresent(path) ?? "0").trim();
  return {
    has: (limit) => hasLimit(limit),
    cpus: cpus().length,
    get cpuList() {
      return online("/sys/devices/system/cpu/online");
    },
    get memoryNodes() {
      return online("/sys/devices/system/node/online");
    },
  };
}

/** The limits without what this kernel lacks, each of which is told. Throws `E_USAGE`, `E_UNSUPPORTED`. */
export function checkedLimits(
  limits: ResourceRequest,
  warn: (text: string) => void,
  host: LimitHost = thisHost(),
): ResourceRequest {
  const failed = CHECKS.find(([fails]) => fails(limits));
  if (failed) throw refused(failed[1]);
  checkProcessors(limits, host);
  if ((limits.cpuRealtimePeriod || limits.cpuRealtimeRuntime) && !host.has("realtime")) {
    throw new TareError("E_UNSUPPORTED", "Your kernel does not support CPU real-time scheduler", {
      hint: "leave `--cpu-rt-period` and `--cpu-rt-runtime` out; control groups v2 have no such limits",
      exitCode: 125,
    });
  }
  const absent = OPTIONAL.filter(({ limit, keys }) => keys.some((key) => isGiven(limits[key])) && !host.has(limit));
  for (const { text } of absent) warn(text);
  const dropped = new Set(absent.flatMap(({ keys }) => keys));
  if (limits.oomKillDisable && !dropped.has("oomKillDisable") && !limits.memory) {
    warn(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    );
  }
  if (dropped.size === 0) return limits;
  const kept = Object.entries(limits).filter(([key]) => !(dropped as ReadonlySet<string>).has(key));
  return { ulimits: limits.ulimits, ...Object.fromEntries(kept) };
}

function checkProcessors({ nanoCpus, cpusetCpus, cpusetMems }: ResourceRequest, host: LimitHost): void {
  if (nanoCpus && (nanoCpus < 1e7 || nanoCpus > host.cpus * 1e9)) {
    throw refused(`Range of CPUs is from 0.01 to ${host.cpus}.00, as there are only ${host.cpus} CPUs available`);
  }
  if (cpusetCpus) checkSet("cpuset cpus", "CPUs", cpusetCpus, host.cpuList);
  if (cpusetMems) checkSet("cpuset mems", "memory nodes", cpusetMems, host.memoryNodes);
}

function checkSet(option: string, what: string, wanted: string, available: string): void {
  const numbers = numbersOf(wanted);
  if (numbers === undefined) throw refused(`Invalid value ${wanted} for ${option}`);
  const known = numbersOf(available) ?? new Set();
  if ([...numbers].every((number) => known.has(number))) return;
  throw refused(`Requested ${what} are not available - requested ${wanted}, available: ${available}`);
}

/** Of `0-3,6`; undefined for what is no such list, or is absurdly long. */
function numbersOf(text: string): ReadonlySet<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text.split(",")) {
    const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    if (first === undefined || Number(last) < Number(first)) return undefined;
    for (let number = Number(first); number <= Number(last); number += 1) numbers.add(number);
  }
  return numbers;
}

function isGiven(value: ResourceRequest[keyof ResourceRequest]): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== false;
}

function refused(text: string): TareError {
  return new TareError("E_USAGE", text, { exitCode: 125 });
}

/** What the runtime is told. Looks the devices up. Throws `E_USAGE` for what is no block device, `E_IO`. */
export function resourceLimits(limits: ResourceRequest): ResourceLimits {
  const { shmSize: _, ulimits: __, oomScoreAdjust: ___, ...rest } = limits;
  const { blkioWeightDevices, deviceReadBps, deviceReadIops, deviceWriteBps, deviceWriteIops, ...plain } = rest;
  return {
    ...plain,
    ...devicesOf("weightDevices", blkioWeightDevices),
    ...devicesOf("readBpsDevices", deviceReadBps),
    ...devicesOf("readIopsDevices", deviceReadIops),
    ...devicesOf("writeBpsDevices", deviceWriteBps),
    ...devicesOf("writeIopsDevices", deviceWriteIops),
  };
}

function devicesOf(name: keyof ResourceLimits, values: readonly DeviceValue[] | undefined): Partial<ResourceLimits> {
  return values === undefined || values.length === 0 ? {} : { [name]: values.map(blockDevice) };
}

function blockDevice({ path, value }: DeviceValue): BlockDeviceLimit {
  const [device] = readDevices(path);
  if (device?.type === "b") return { major: device.major, minor: device.minor, value };
  throw refused(`limiting \`${path}\`: it is not a block device`);
}
