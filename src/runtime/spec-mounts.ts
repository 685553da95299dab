// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { TareError } from "../base/index.ts";
import type { OciMount } from "./spec-types.ts";

/** A mount that the user or the builder adds. */
export interface SpecMount {
  /** Absolute path in the container. */
  readonly destination: string;
  readonly type: "bind" | "tmpfs";
  /** Absolute path on the host; not for tmpfs. */
  readonly source?: string;
  /**
   * bind: Docker's words `ro`, `rw`, `z`, `Z`, `nocopy`, a propagation, `rro` (what is mounted below too), `bind` (not recursive), `noexec` and its like.
   * tmpfs: `size=64m`, `mode=1777`, `exec`, `uid=…` over the defaults `noexec,nosuid,nodev`.
   */
  readonly options?: readonly string[];
}

/** What decides the mounts that every container has. */
export interface DefaultMountOptions {
  readonly shmSize: number;
  readonly hostIpc: boolean;
  /** For an ordinary user, who can't mount what belongs to the host's namespaces. */
  readonly isOrdinary?: boolean;
  /** /sys and the control groups are writable. */
  readonly privileged: boolean;
}

const SAFE = ["nosuid", "noexec", "nodev"] as const;
const PROPAGATIONS = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);
const BIND_FLAGS = new Set(["exec", "noexec", "suid", "nosuid", "dev", "nodev", "bind", "rbind", "atime", "noatime"]);
const DOCKER_ONLY = new Set(["z", "Z", "nocopy", "consistent", "cached", "delegated"]);
const TMPFS_FLAGS =
  /^(?:ro|rw|exec|noexec|suid|nosuid|dev|nodev|sync|async|noatime|atime|relatime|norelatime|strictatime|nodiratime|diratime|nostrictatime|huge=(?:always|never|within_size|advise)|size=\d+[kKmMgG%]?|mode=[0-7]{1,4}|uid=\d+|gid=\d+|nr_inodes=\d+[kKmMgG]?|nr_blocks=\d+[kKmMgG]?)$/;
/** Where nothing may be mounted: the container would no longer be confined, or lose its own file systems. */
const FORBIDDEN_TARGETS = ["/proc", "/dev/pts", "/sys/fs/cgroup"];

/** The mounts of every container: proc, dev, pts, mqueue, shm, sysfs, cgroup. */
export function defaultMounts(options: DefaultMountOptions): OciMount[] {
  const access = options.privileged ? "rw" : "ro";
  const mounts: OciMount[] = [
    mount("/proc", "proc", "proc", [...SAFE]),
    mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
    mount("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
    mount("/sys", "sysfs", "sysfs", [...SAFE, access]),
    mount("/sys/fs/cgroup", "cgroup", "cgroup", [access, ...SAFE, "relatime"]),
  ];
  if (options.hostIpc) {
    // Not every host has its queues mounted; a mount of our own shows the same ones.
    if (options.isOrdinary) mounts.push(mount("/dev/mqueue", "bind", "/dev/mqueue", ["bind", ...SAFE]));
    else mounts.push(mount("/dev/mqueue", "mqueue", "mqueue", [...SAFE]));
    mounts.push(mount("/dev/shm", "bind", "/dev/shm", ["bind", ...SAFE]));
    return mounts;
  }
  mounts.push(mount("/dev/mqueue", "mqueue", "mqueue", [...SAFE]));
  mounts.push(mount("/dev/shm", "tmpfs", "shm", [...SAFE, "mode=1777", `size=${options.shmSize}`]));
  return mounts;
}

/**
 * The default mounts with the user's over them: one per target, the user's wins, shallower targets first so that a
 * later mount never hides an earlier one. Throws `E_MOUNT` for words and targets that are not allowed.
 */
export function mergeMounts(defaults: readonly OciMount[], extra: readonly SpecMount[]): OciMount[] {
  const own = extra.map(toOciMount);
  const taken = new Set(own.map((item) => item.destination));
  if (taken.size !== own.length) throw duplicate(own);
  const depth = (item: OciMount): number => item.destination.split("/").filter(Boolean).length;
  return [
    ...defaults.filter((item) => !taken.has(item.destination)),
    ...own.toSorted((left, right) => depth(left) - depth(right)),
  ];
}

function toOciMount(extra: SpecMount): OciMount {
  const target = checkedTarget(extra.destination);
  if (extra.type === "tmpfs") return mount(target, "tmpfs", "tmpfs", tmpfsOptions(target, extra.options ?? []));
  const { source } = extra;
  if (!source?.startsWith("/")) throw mountError(target, `source \`${source ?? ""}\` is not an absolute path`);
  return mount(target, "bind", source, bindOptions(target, extra.options ?? []));
}

/** Docker's bind options as the runtime's: recursive, private, read-write unless told otherwise. */
function bindOptions(target: string, words: readonly string[]): string[] {
  const known = words.filter((word) => !DOCKER_ONLY.has(word));
  for (const word of known) {
    if (word === "ro" || word === "rw" || word === "rro" || PROPAGATIONS.has(word) || BIND_FLAGS.has(word)) continue;
    throw mountError(target, `unknown option \`${word}\``);
  }
  const propagation = known.find((word) => PROPAGATIONS.has(word)) ?? "rprivate";
  const recursion = known.includes("bind") ? "bind" : "rbind";
  const flags = known.filter((word) => BIND_FLAGS.has(word) && word !== "bind" && word !== "rbind");
  const access = known.includes("rro") ? ["ro", "rro"] : [known.includes("ro") ? "ro" : "rw"];
  return [recursion, propagation, ...access, ...flags];
}

function tmpfsOptions(target: string, words: readonly string[]): string[] {
  for (const word of words) if (!TMPFS_FLAGS.test(word)) throw mountError(target, `unknown tmpfs option \`${word}\``);
  const defaults = SAFE.filter((word) => !words.includes(word) && !words.includes(word.slice(2)));
  return [...defaults, ...words];
}

function checkedTarget(target: string): string {
  const path = posix.normalize(target);
  const clean = path.length > 1 ? path.replace(/\/+$/, "") : path;
  if (!target.startsWith("/") || target.includes("\0")) throw mountError(target, "the target is not an absolute path");
  if (clean === "/") throw mountError(target, "the target may not be the root directory");
  if (
    FORBIDDEN_TARGETS.some((root) => clean === root || clean.startsWith(`${root}/`)) &&
    !clean.startsWith("/proc/driver")
  )
    throw mountError(target, "nothing may be mounted there");
  return clean;
}

function duplicate(mounts: readonly OciMount[]): TareError {
  const seen = new Set<string>();
  const twice = mounts.find((item) => seen.has(item.destination) || !seen.add(item.destination));
  return mountError(twice?.destination ?? "", "two mounts have the same target");
}

function mountError(target: string, why: string): TareError {
  return new TareError("E_MOUNT", `mounting at \`${target}\`: ${why}`, { exitCode: 125 });
}

function mount(destination: string, type: string, source: string, options: readonly string[]): OciMount {
  return { destination, type, source, options };
}
