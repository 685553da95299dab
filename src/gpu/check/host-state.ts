// SPDX-License-Identifier: Apache-2.0
/* What the check of a host looks at, besides the GPUs themselves; read without starting a program. */
import * as fs from "node:fs";
import { join } from "node:path";
import { isTareError, readTextIfPresent, systemErrorCode } from "../../base/index.ts";
import { checkHostFiles, staleNodes } from "../cdi/check-host.ts";
import { rootsOf } from "../host/roots.ts";
import type { HostPlace } from "../host/roots.ts";
import type { CdiRegistry } from "../cdi/registry.ts";
import type { HostGpus } from "../types.ts";

/** Everything that `checkHost` compares. */
export interface HostState {
  readonly host: HostGpus;
  readonly nodes: readonly NodeState[];
  readonly cdi: CdiState;
  /** The socket of nvidia-persistenced is there. */
  readonly isPersistent: boolean;
  /** Size of the host's /dev/shm; absent when it can't be told. */
  readonly shmBytes?: number;
  /** An ordinary user, whose containers see nodes with the rights that he has. */
  readonly isOrdinary: boolean;
}

/** A device node and whether the caller may use it. */
export interface NodeState {
  readonly path: string;
  readonly state: "usable" | "missing" | "forbidden";
  /** `0660 root:render (gid 105)`, when it is forbidden. */
  readonly rights?: string;
  readonly group?: string;
}

/** Installed specifications. */
export interface CdiState {
  /** Kinds with a device: `nvidia.com/gpu`. */
  readonly kinds: readonly string[];
  /** Why files or devices can't be used. */
  readonly problems: readonly string[];
  /** Files that tell of another state of this host, each with what is wrong. */
  readonly stale: readonly { readonly file: string; readonly why: string }[];
}

/** What is read, and below which folder. */
export interface HostStateOptions {
  readonly host: HostGpus;
  readonly cdi: CdiRegistry;
  readonly isOrdinary: boolean;
  /** Where the driver's files and the device nodes are. */
  readonly place?: HostPlace;
}

/** Looks. */
export function readHostState({ host, cdi, isOrdinary, place = {} }: HostStateOptions): HostState {
  const { dev, driver } = rootsOf(place);
  const paths = [...host.drivers, ...host.gpus].flatMap(({ nodes }) => nodes);
  const shmBytes = sizeOf("/dev/shm");
  return {
    host,
    nodes: [...new Set(paths)].map((path) => nodeState(dev, path)),
    cdi: cdiState(cdi, isOrdinary),
    isPersistent: ["run", "var/run"].some((run) => fs.existsSync(join(driver, run, "nvidia-persistenced/socket"))),
    isOrdinary,
    ...(shmBytes === undefined ? {} : { shmBytes }),
  };
}

function nodeState(root: string, path: string): NodeState {
  try {
    fs.accessSync(join(root, path), fs.constants.R_OK | fs.constants.W_OK);
    return { path, state: "usable" };
  } catch (error) {
    if (systemErrorCode(error) !== "EACCES" && systemErrorCode(error) !== "EPERM") return { path, state: "missing" };
    return { path, state: "forbidden", ...rightsOf(root, path) };
  }
}

function rightsOf(root: string, path: string): Pick<NodeState, "rights" | "group"> {
  try {
    const { mode, gid, uid } = fs.statSync(join(root, path));
    const group = groupName(gid);
    const octal = (mode & 0o7777).toString(8).padStart(4, "0");
    return { rights: `mode ${octal}, user ${uid}, group ${group ?? gid}`, ...(group === undefined ? {} : { group }) };
  } catch {
    return {};
  }
}

function groupName(gid: number): string | undefined {
  const rows = (readTextIfPresent("/etc/group") ?? "").split("\n");
  return rows.map((row) => row.split(":")).find(([, , id]) => id === String(gid))?.[0];
}

function sizeOf(path: string): number | undefined {
  try {
    const { blocks, bsize } = fs.statfsSync(path);
    return blocks * bsize;
  } catch {
    return undefined;
  }
}

function cdiState(registry: CdiRegistry, isOrdinary: boolean): CdiState {
  const devices = registry.devices().filter(({ file }) => file !== undefined);
  const stale = devices.flatMap(({ name, file = "" }) =>
    whyStale(registry, name, isOrdinary).map((why) => ({ file, why })),
  );
  const once = [...new Map(stale.map((each) => [`${each.file}\n${each.why}`, each])).values()];
  return {
    kinds: [...new Set(devices.map(({ kind }) => kind))],
    problems: registry.problems.map(({ message }) => message),
    stale: once,
  };
}

function whyStale(registry: CdiRegistry, name: string, isOrdinary: boolean): readonly string[] {
  const resolution = registry.resolve([name]);
  try {
    checkHostFiles(resolution, { isOrdinary });
    return staleNodes(resolution.edits);
  } catch (error) {
    if (!isTareError(error, "E_CDI_DEVICE")) throw error;
    return [error.message];
  }
}
