// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { OciDevice, OciDeviceRule, OciResources, OciRlimit, OciThrottle } from "./spec-types.ts";

/** Limits of a container, in Docker's terms. */
export interface ResourceLimits {
  /** Bytes. */
  readonly memory?: number;
  readonly memoryReservation?: number;
  /** Memory plus swap in bytes; -1 is unlimited; default twice `memory`, as Docker. */
  readonly memorySwap?: number;
  readonly memorySwappiness?: number;
  /** Billionths of a processor: `--cpus 1.5` is 1_500_000_000. */
  readonly nanoCpus?: number;
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** Processes and threads; 0 or below is unlimited. */
  readonly pidsLimit?: number;
  readonly oomKillDisable?: boolean;
  /** Microseconds. */
  readonly cpuRealtimePeriod?: number;
  readonly cpuRealtimeRuntime?: number;
  /** 10 to 1000. */
  readonly blkioWeight?: number;
  /** Weights, and bytes or operations a second, of block devices. */
  readonly weightDevices?: readonly BlockDeviceLimit[];
  readonly readBpsDevices?: readonly BlockDeviceLimit[];
  readonly readIopsDevices?: readonly BlockDeviceLimit[];
  readonly writeBpsDevices?: readonly BlockDeviceLimit[];
  readonly writeIopsDevices?: readonly BlockDeviceLimit[];
}

/** A number for one block device. */
export interface BlockDeviceLimit {
  readonly major: number;
  readonly minor: number;
  readonly value: number;
}

/** A device given to a container: the node and what the container may do with it. */
export interface DeviceGrant extends OciDevice {
  /** Any of `r`, `w`, `m`; default all three. */
  readonly access?: string;
}

const RLIMITS = new Set(
  "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" "),
);
/** Stands for `RLIM_INFINITY` until the specification is written (`specText`). */
export const UNLIMITED: number = Number.MAX_SAFE_INTEGER;
const CPU_PERIOD = 100_000;
const SMALLEST_MEMORY = 6 * 1024 * 1024;

/** The limits as the specification spells them, without the device rules. Throws `E_USAGE` for impossible values. */
export function resourceSpec(limits: ResourceLimits): Omit<OciResources, "devices"> {
  const memory = memorySpec(limits);
  const cpu = cpuSpec(limits);
  const blockIO = blockSpec(limits);
  return {
    ...(memory === undefined ? {} : { memory }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(blockIO === undefined ? {} : { blockIO }),
    ...(limits.pidsLimit !== undefined && limits.pidsLimit > 0 ? { pids: { limit: limits.pidsLimit } } : {}),
  };
}

/** Device rules: nothing, then what every container has, then the grants and the user's own rules. */
export function deviceRules(
  grants: readonly DeviceGrant[],
  rules: readonly string[],
  privileged: boolean,
): OciDeviceRule[] {
  if (privileged) return [{ allow: true, access: "rwm" }];
  return [{ allow: false, access: "rwm" }, ...grants.map(grantRule), ...rules.map(parseDeviceRule)];
}

/** `c 195:* rwm` as a device rule. Throws `E_USAGE`. */
function parseDeviceRule(text: string): OciDeviceRule {
  const match = /^([abc]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text.trim());
  const [, type, major, minor, access] = match ?? [];
  if (access === undefined || (type !== "a" && type !== "b" && type !== "c")) {
    throw usage(`reading device rule \`${text}\``, "wanted TYPE MAJOR:MINOR ACCESS, as in `c 195:* rwm`");
  }
  return {
    allow: true,
    type,
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access,
  };
}

/** `nofile` and its like as the specification spells them. Throws `E_USAGE`. */
export function rlimitSpec(
  limits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[],
): OciRlimit[] {
  return limits.map(({ name, soft, hard }) => {
    const known = name.toLowerCase().replace(/^rlimit_/, "");
    if (!RLIMITS.has(known)) throw usage(`reading ulimit \`${name}\``, "there is no such limit");
    if (soft > hard && hard !== -1) throw usage(`reading ulimit \`${name}\``, "the soft limit is above the hard limit");
    return { type: `RLIMIT_${known.toUpperCase()}`, soft: unlimited(soft), hard: unlimited(hard) };
  });
}

function memorySpec(limits: ResourceLimits): OciResources["memory"] {
  const { memory, memoryReservation, memorySwap, memorySwappiness, oomKillDisable } = limits;
  if (memory !== undefined && memory > 0 && memory < SMALLEST_MEMORY)
    throw usage("setting the memory limit", `the smallest is 6 MiB, got ${memory} bytes`);
  if (memory === undefined && memorySwap !== undefined && memorySwap > 0)
    throw usage("setting the swap limit", "it needs a memory limit too");
  if (memory !== undefined && memorySwap !== undefined && memorySwap > 0 && memorySwap < memory)
    throw usage("setting the swap limit", "it counts memory too, so it can't be below the memory limit");
  const swap = memorySwap ?? (memory === undefined ? undefined : memory * 2);
  const spec = {
    ...(memory === undefined ? {} : { limit: memory }),
    ...(memoryReservation === undefined ? {} : { reservation: memoryReservation }),
    ...(swap === undefined || swap === 0 ? {} : { swap }),
    ...(memorySwappiness === undefined || memorySwappiness < 0 ? {} : { swappiness: memorySwappiness }),
    ...(oomKillDisable === true ? { disableOOMKiller: true } : {}),
  };
  return Object.keys(spec).length === 0 ? undefined : spec;
}

function cpuSpec(limits: ResourceLimits): OciResources["cpu"] {
  if (limits.nanoCpus !== undefined && (limits.cpuQuota !== undefined || limits.cpuPeriod !== undefined))
    throw usage("setting the processor limit", "`--cpus` and `--cpu-quota` or `--cpu-period` exclude each other");
  const quota = limits.nanoCpus === undefined ? limits.cpuQuota : Math.round((limits.nanoCpus * CPU_PERIOD) / 1e9);
  const period = limits.nanoCpus === undefined ? limits.cpuPeriod : CPU_PERIOD;
  if (quota !== undefined && quota > 0 && quota < 1000)
    throw usage("setting the processor limit", "the smallest is 0.01 processors");
  const spec = {
    ...(limits.cpuShares === undefined || limits.cpuShares === 0 ? {} : { shares: limits.cpuShares }),
    ...(quota === undefined ? {} : { quota }),
    ...(period === undefined ? {} : { period }),
    ...(limits.cpusetCpus ? { cpus: cpuList(limits.cpusetCpus) } : {}),
    ...(limits.cpusetMems ? { mems: cpuList(limits.cpusetMems) } : {}),
    ...(limits.cpuRealtimePeriod ? { realtimePeriod: limits.cpuRealtimePeriod } : {}),
    ...(limits.cpuRealtimeRuntime ? { realtimeRuntime: limits.cpuRealtimeRuntime } : {}),
  };
  return Object.keys(spec).length === 0 ? undefined : spec;
}

function blockSpec(limits: ResourceLimits): OciResources["blockIO"] {
  const rates = (devices: readonly BlockDeviceLimit[] | undefined): readonly OciThrottle[] | undefined =>
    devices?.map(({ major, minor, value }) => ({ major, minor, rate: value }));
  const spec = {
    weight: limits.blkioWeight === 0 ? undefined : limits.blkioWeight,
    weightDevice: limits.weightDevices?.map(({ major, minor, value }) => ({ major, minor, weight: value })),
    throttleReadBpsDevice: rates(limits.readBpsDevices),
    throttleWriteBpsDevice: rates(limits.writeBpsDevices),
    throttleReadIOPSDevice: rates(limits.readIopsDevices),
    throttleWriteIOPSDevice: rates(limits.writeIopsDevices),
  };
  const given = Object.entries(spec).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined,
  );
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

function cpuList(text: string): string {
  if (/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) return text;
  throw usage(`reading the processor set \`${text}\``, "wanted numbers and ranges, as in `0-3,6`");
}

function grantRule(device: DeviceGrant): OciDeviceRule {
  return {
    allow: true,
    type: device.type === "b" ? "b" : "c",
    major: device.major,
    minor: device.minor,
    access: device.access ?? "rwm",
  };
}

function unlimited(value: number): number {
  return value < 0 ? UNLIMITED : value;
}

function usage(doing: string, why: string): TareError {
  return new TareError("E_USAGE", `${doing}: ${why}`, { exitCode: 125 });
}
