// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { parseBytes } from "./sizes.ts";
import { cut, parseInteger, usage } from "./usage.ts";

/** A device node of the host in the container. */
export interface DeviceMapping {
  readonly pathOnHost: string;
  readonly pathInContainer: string;
  readonly cgroupPermissions: string;
}

/** What `--device` asks for: a device node, or a device by its qualified CDI name. */
export type DeviceOption =
  | { readonly kind: "path"; readonly device: DeviceMapping }
  | { readonly kind: "cdi"; readonly name: string };

/** A rate (bytes or operations per second) of one block device. */
export interface ThrottleDevice {
  readonly path: string;
  readonly rate: number;
}

/** The block I/O weight of one device; 0 is unset. */
export interface WeightDevice {
  readonly path: string;
  readonly weight: number;
}

const CDI_NAME =
  /^[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?\/[A-Za-z](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?=[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$/;

/** True for a qualified CDI device name `vendor/class=device`. */
export function isCdiName(text: string): boolean {
  return CDI_NAME.test(text);
}

/** Parses `--device /dev/host[:/dev/container][:rwm]` or a CDI name. Throws `E_USAGE`. */
export function parseDevice(text: string): DeviceOption {
  return isCdiName(text) ? { kind: "cdi", name: text } : { kind: "path", device: parseDeviceMapping(text) };
}

function parseDeviceMapping(text: string): DeviceMapping {
  const parts = text.split(":");
  const [host = "", second, third] = parts;
  if (parts.length > 3 || host === "") throw usage(`bad format for path: ${text}`);
  const secondIsMode = third === undefined && second !== undefined && isDeviceMode(second);
  const container = second === undefined || secondIsMode ? host : second;
  if (third !== undefined && !isDeviceMode(third)) {
    throw usage(`bad mode specified: ${third}`, "a mode is made of r, w and m");
  }
  if (!posix.isAbsolute(container)) throw usage(`${container} is not an absolute path`);
  const mode = secondIsMode ? second : third;
  return { pathOnHost: host, pathInContainer: posix.normalize(container), cgroupPermissions: mode ?? "rwm" };
}

function isDeviceMode(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length;
}

/** Parses `--device-read-bps` and `--device-write-bps`: `/dev/sda:1mb`. Throws `E_USAGE`. */
export function parseThrottleBps(text: string): ThrottleDevice {
  const { path, value } = splitDevice(text);
  try {
    return { path, rate: parseBytes(value) };
  } catch {
    throw usage(
      `invalid rate for device: ${text}. The correct format is <device-path>:<number>[<unit>]. ` +
        "Number must be a positive integer. Unit is optional and can be kb, mb, or gb",
    );
  }
}

/** Parses `--device-read-iops` and `--device-write-iops`: `/dev/sda:1000`. Throws `E_USAGE`. */
export function parseThrottleIops(text: string): ThrottleDevice {
  const { path, value } = splitDevice(text);
  if (/^[0-9]+$/.test(value) && Number.isSafeInteger(Number(value))) return { path, rate: Number(value) };
  throw usage(
    `invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`,
  );
}

/** Parses `--blkio-weight-device /dev/sda:500` (0, or 10 to 1000). Throws `E_USAGE`. */
export function parseWeightDevice(text: string): WeightDevice {
  const { path, value } = splitDevice(text);
  const weight = parseInteger(value);
  const valid = typeof weight === "number" && (weight === 0 || (weight >= 10 && weight <= 1000));
  if (!valid) throw usage(`invalid weight for device: ${text}`, "a weight is 10 to 1000, or 0 to leave it unset");
  return { path, weight };
}

function splitDevice(text: string): { readonly path: string; readonly value: string } {
  const { key: path, value } = cut(text, ":");
  if (path === "" || value === undefined) throw usage(`bad format: ${text}`);
  if (!path.startsWith("/dev/")) throw usage(`bad format for device path: ${text}`);
  return { path, value };
}
