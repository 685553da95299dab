// SPDX-License-Identifier: Apache-2.0
/*
 * What a control group has used, from the kernel's files. Each controller is looked for where this host has it: in a v1
 * hierarchy of its own, or in the v2 tree (hybrid hosts have some here and some there).
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { totalmem } from "node:os";
import { hasController, hierarchies } from "./cgroup.ts";
import type { Hierarchy } from "./cgroup.ts";

/** What a container has used. What the kernel does not count on this host is absent. */
export interface CgroupUsage {
  /** Of all processors together, since the group was made. */
  readonly cpuNanoseconds?: number;
  /** Bytes, without file contents that are kept only because nobody needs the room. */
  readonly memory?: number;
  /** Bytes: the group's limit, or what the host has. */
  readonly memoryLimit?: number;
  readonly pids?: number;
  /** Bytes read from and written to block devices. */
  readonly blockRead?: number;
  readonly blockWritten?: number;
}

/** A control group's folders: of v1 by controller, and of the v2 tree. */
export interface CgroupFolders {
  readonly v1: ReadonlyMap<string, string>;
  readonly v2: string | undefined;
}

/** Text of a file, or undefined where it is not. */
type Read = (path: string) => string | undefined;

/**
 * Where the control groups of a container's process are; cut after `name`, as a container may make groups of its own
 * below. A group without that name counts others too (an ordinary user may have none of his own) and is left out.
 */
export function cgroupFolders(cgroups: string, mountinfo: string, name: string): CgroupFolders {
  const mounted = hierarchies(mountinfo);
  const v1 = new Map<string, string>();
  let v2: string | undefined;
  for (const line of cgroups.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(",")) {
      const own = pathOfContainer(path, name);
      const folder = own === undefined ? undefined : folderOf(controller, own, mounted);
      if (folder === undefined) continue;
      if (controller === "") v2 = folder;
      else v1.set(controller, folder);
    }
  }
  return { v1, v2 };
}

function pathOfContainer(path: string, name: string): string | undefined {
  const parts = path.split("/");
  const at = parts.findIndex((part) => part.includes(name));
  return at < 0 ? undefined : parts.slice(0, at + 1).join("/");
}

/** A mount may show only a part of its hierarchy. */
function folderOf(controller: string, path: string, mounted: readonly Hierarchy[]): string | undefined {
  const shown = mounted
    .filter((each) => hasController(each, controller))
    .find(({ root }) => root === "/" || path === root || path.startsWith(`${root}/`));
  return shown && join(shown.point, shown.root === "/" ? path : path.slice(shown.root.length));
}

/** Reads what a group has used; undefined when it is gone. */
export function cgroupUsage(folders: CgroupFolders, read: Read = readFile): CgroupUsage | undefined {
  const cpu = cpuOf(folders, read);
  const memory = memoryOf(folders, read);
  const pids = numberOf(first(folders, "pids", "pids.current", "pids.current", read));
  const usage = {
    ...(cpu === undefined ? {} : { cpuNanoseconds: cpu }),
    ...memory,
    ...(pids === undefined ? {} : { pids }),
    ...blockOf(folders, read),
  };
  return Object.keys(usage).length === 0 ? undefined : usage;
}

function cpuOf(folders: CgroupFolders, read: Read): number | undefined {
  const v1 = folders.v1.get("cpuacct");
  const old = v1 === undefined ? undefined : numberOf(read(join(v1, "cpuacct.usage")));
  if (old !== undefined) return old;
  const usec = folders.v2 === undefined ? undefined : keyOf(read(join(folders.v2, "cpu.stat")), "usage_usec");
  return usec === undefined ? undefined : usec * 1000;
}

/** Docker's number: what is used less the inactive part of the file cache, which the kernel drops when asked. */
function memoryOf(folders: CgroupFolders, read: Read): Pick<CgroupUsage, "memory" | "memoryLimit"> {
  const isV1 = folders.v1.has("memory");
  const file = (v1: string, v2: string): string | undefined => first(folders, "memory", v1, v2, read);
  const used = numberOf(file("memory.usage_in_bytes", "memory.current"));
  if (used === undefined) return {};
  const inactive = keyOf(file("memory.stat", "memory.stat"), isV1 ? "total_inactive_file" : "inactive_file") ?? 0;
  const limit = numberOf(file("memory.limit_in_bytes", "memory.max")) ?? Infinity;
  return { memory: inactive < used ? used - inactive : used, memoryLimit: Math.min(limit, totalmem()) };
}

function blockOf(folders: CgroupFolders, read: Read): Pick<CgroupUsage, "blockRead" | "blockWritten"> {
  const v1 = folders.v1.get("blkio");
  const names = ["blkio.throttle.io_service_bytes_recursive", "blkio.io_service_bytes_recursive"];
  const old = v1 === undefined ? undefined : names.map((name) => read(join(v1, name))).find((text) => text?.trim());
  if (old !== undefined)
    return { blockRead: sumOf(old, /^\d+:\d+ Read (\d+)$/), blockWritten: sumOf(old, /^\d+:\d+ Write (\d+)$/) };
  if (v1 !== undefined) return read(join(v1, "cgroup.procs")) === undefined ? {} : { blockRead: 0, blockWritten: 0 };
  const text = folders.v2 === undefined ? undefined : read(join(folders.v2, "io.stat"));
  if (text === undefined) return {};
  return { blockRead: sumOf(text, /\brbytes=(\d+)/), blockWritten: sumOf(text, /\bwbytes=(\d+)/) };
}

/** Pids in a group and in those below it. */
export function cgroupProcesses(folders: CgroupFolders): readonly number[] {
  const folder = folders.v1.get("pids") ?? folders.v2 ?? [...folders.v1.values()][0];
  return folder === undefined ? [] : processesBelow(folder);
}

function processesBelow(folder: string): readonly number[] {
  const own = (readFile(join(folder, "cgroup.procs")) ?? "").split("\n").filter(Boolean).map(Number);
  return [...own, ...foldersIn(folder).flatMap((name) => processesBelow(join(folder, name)))];
}

function foldersIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

function first(folders: CgroupFolders, controller: string, v1: string, v2: string, read: Read): string | undefined {
  const folder = folders.v1.get(controller);
  if (folder !== undefined) return read(join(folder, v1));
  return folders.v2 === undefined ? undefined : read(join(folders.v2, v2));
}

/** `max` and what is no number count as absent. */
function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+\s*$/.test(text) ? Number(text) : undefined;
}

function keyOf(text: string | undefined, key: string): number | undefined {
  const line = text?.split("\n").find((candidate) => candidate.startsWith(`${key} `));
  return numberOf(line?.slice(key.length + 1));
}

function sumOf(text: string, pattern: RegExp): number {
  return text.split("\n").reduce((sum, line) => sum + Number(pattern.exec(line)?.[1] ?? 0), 0);
}

/** A group that goes away meanwhile answers ENOENT or ENODEV. */
function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
