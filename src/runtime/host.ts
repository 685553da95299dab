// SPDX-License-Identifier: Apache-2.0
// What buildSpec needs to know of this host.
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { TareError, ioError } from "../base/index.ts";
import { knownCapabilities } from "./capabilities.ts";
import { locate } from "./find.ts";
import type { DeviceGrant } from "./spec-limits.ts";

const INIT_PROGRAMS = ["tini-static", "catatonit", "docker-init"];
/** Below /dev: made anew in each container, or no devices. */
const NOT_GIVEN = new Set([
  "pts",
  "shm",
  "mqueue",
  "fd",
  "hugepages",
  "console",
  "core",
  "stdin",
  "stdout",
  "stderr",
  "log",
  "ptmx",
]);
const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

/** Names of the capabilities that this kernel knows and this process may hand on; for `SecurityInput.knownCapabilities`. */
export function hostCapabilities(): string[] {
  const last = Number(readFileSync("/proc/sys/kernel/cap_last_cap", "utf8"));
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return knownCapabilities(last, bounding === undefined ? undefined : BigInt(`0x${bounding}`));
}

/** A statically linked init program for `--init`. Throws `E_PROGRAM_MISSING` with the package's name. */
export function findInit(): string {
  for (const name of INIT_PROGRAMS) {
    const path = locate(name);
    if (path !== undefined) return path;
  }
  throw new TareError(
    "E_PROGRAM_MISSING",
    "looking for an init program for `--init`: none of tini-static, catatonit, docker-init is installed",
    {
      hint: "`apt install tini` (or catatonit), or leave `--init` out",
      exitCode: 125,
    },
  );
}

/** The device at a host path, or all devices below it when it is a directory. Throws `E_USAGE` when it is neither. */
export function readDevices(hostPath: string, containerPath: string = hostPath, access: string = "rwm"): DeviceGrant[] {
  if (!/^[rwm]{1,3}$/.test(access)) throw deviceError(hostPath, `access \`${access}\` is not made of r, w, m`);
  if (!containerPath.startsWith("/")) throw deviceError(hostPath, `\`${containerPath}\` is not an absolute path`);
  const stats = stat(hostPath);
  if (stats.isDirectory()) return devicesBelow(hostPath, containerPath, access);
  const grant = grantOf(stats, containerPath, access);
  if (grant === undefined) throw deviceError(hostPath, "it is not a device");
  return [grant];
}

/** Every device of the host, for `--privileged`. */
export function hostDevices(): DeviceGrant[] {
  return devicesBelow("/dev", "/dev", "rwm");
}

/** Processor-dependent side channels to mask besides the fixed list. */
export function hostMaskedPaths(root: string = "/sys/devices/system/cpu"): string[] {
  if (!existsSync(join(root, "cpu0/thermal_throttle"))) return [];
  const cpus = readdirSync(root).filter((name) => /^cpu\d+$/.test(name));
  return cpus.map((name) => join(root, name, "thermal_throttle"));
}

function devicesBelow(hostPath: string, containerPath: string, access: string): DeviceGrant[] {
  return readdirSync(hostPath, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_GIVEN.has(entry.name) || entry.isSymbolicLink()) return [];
    const [from, to] = [join(hostPath, entry.name), join(containerPath, entry.name)];
    if (entry.isDirectory()) return devicesBelow(from, to, access);
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return [];
    return grantOf(stat(from), to, access) ?? [];
  });
}

function grantOf(stats: Stats, path: string, access: string): DeviceGrant | undefined {
  const kind = stats.mode & S_IFMT;
  if (kind !== S_IFCHR && kind !== S_IFBLK) return undefined;
  // Linux' own encoding of st_rdev: 12 bits of major above 8 bits of minor, the rest of both higher up.
  const number = BigInt(stats.rdev);
  const major = Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn));
  const minor = Number((number & 0xffn) | ((number >> 12n) & ~0xffn));
  return {
    path,
    type: kind === S_IFBLK ? "b" : "c",
    major,
    minor,
    fileMode: stats.mode & 0o777,
    uid: stats.uid,
    gid: stats.gid,
    access,
  };
}

function stat(path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw ioError(`looking at device \`${path}\``, error);
  }
}

function deviceError(path: string, why: string): TareError {
  return new TareError("E_USAGE", `giving device \`${path}\` to the container: ${why}`, { exitCode: 125 });
}
