// SPDX-License-Identifier: Apache-2.0
/*
 * Device nodes of a specification. One that is there is named, and its numbers are looked up when it is used, because
 * some change with each start of the host. One that nothing has made yet since the start is described by the numbers that
 * the kernel says, which is enough to make it inside of a container.
 */
import { join } from "node:path";
import { readFact, statusOf } from "../host/read.ts";
import type { HostRoots } from "../host/roots.ts";
import type { CdiDeviceNode, CdiEdits } from "../types.ts";

/** Nodes as edits, and what can't be given. */
export interface NodeEdits {
  readonly edits: Pick<CdiEdits, "deviceNodes" | "additionalGids">;
  /** Paths of nodes that are neither there nor known to the kernel. */
  readonly missing: readonly string[];
}

/** What nodes are made from. */
export interface NodeSource {
  readonly roots: HostRoots;
  /** Groups that may open a node that not everybody may; they make a specification need version 0.7.0. */
  readonly hasGroups: boolean;
}

/** Edits that bring these nodes. */
export function nodeEdits(paths: readonly string[], { roots, hasGroups }: NodeSource): NodeEdits {
  const found = paths.map((path) => ({ path, node: nodeOf(path, { roots, hasGroups }) }));
  const deviceNodes = found.flatMap(({ node }) => node ?? []);
  const groups = hasGroups ? [...new Set(paths.flatMap((path) => groupOf(path, roots)))] : [];
  return {
    edits: {
      ...(deviceNodes.length === 0 ? {} : { deviceNodes }),
      ...(groups.length === 0 ? {} : { additionalGids: groups }),
    },
    missing: found.flatMap(({ path, node }) => (node === undefined ? [path] : [])),
  };
}

function nodeOf(path: string, { roots, hasGroups }: NodeSource): CdiDeviceNode | undefined {
  const hostPath = join(roots.dev, path);
  if (statusOf(hostPath)?.isCharacterDevice() === true) {
    // Without it the node in the container would be of another group than the one that its processes are given.
    const [gid] = hasGroups ? groupOf(path, roots) : [];
    return { path, ...(hostPath === path ? {} : { hostPath }), ...(gid === undefined ? {} : { gid }) };
  }
  const numbers = numbersOf(path, roots);
  return numbers && { path, type: "c", ...numbers, fileMode: numbers.fileMode };
}

/** The group of a node that only its owner and group may open. */
function groupOf(path: string, roots: HostRoots): readonly number[] {
  const status = statusOf(join(roots.dev, path));
  if (status?.isCharacterDevice() !== true || (status.mode & 0o006n) === 0o006n || status.gid === 0n) return [];
  return (status.mode & 0o060n) === 0n ? [] : [Number(status.gid)];
}

interface Kind {
  readonly path: RegExp;
  /** Names in /proc/devices; NVIDIA's was another before R550.40. */
  readonly drivers: readonly string[];
  /** Its minor number, when it is not the number at the end of the path. */
  readonly minor?: number;
  readonly fileMode: number;
}

const CONTROL = ["nvidia", "nvidia-frontend", "nvidiactl"];
const KINDS: readonly Kind[] = [
  { path: /^\/dev\/nvidiactl$/, drivers: CONTROL, minor: 255, fileMode: 0o666 },
  { path: /^\/dev\/nvidia-modeset$/, drivers: CONTROL, minor: 254, fileMode: 0o666 },
  { path: /^\/dev\/nvidia(\d+)$/, drivers: CONTROL, fileMode: 0o666 },
  { path: /^\/dev\/nvidia-uvm$/, drivers: ["nvidia-uvm"], minor: 0, fileMode: 0o666 },
  { path: /^\/dev\/nvidia-uvm-tools$/, drivers: ["nvidia-uvm"], minor: 1, fileMode: 0o666 },
  { path: /^\/dev\/nvidia-caps\/nvidia-cap(\d+)$/, drivers: ["nvidia-caps"], fileMode: 0o444 },
];

/** Nodes of the graphics side and /dev/kfd are made by the system as soon as there is a device: a missing one is none. */
function numbersOf(
  path: string,
  roots: HostRoots,
): Required<Pick<CdiDeviceNode, "major" | "minor" | "fileMode">> | undefined {
  for (const kind of KINDS) {
    const match = kind.path.exec(path);
    if (!match) continue;
    const major = kind.drivers.map((driver) => majorOf(driver, roots)).find((number) => number !== undefined);
    return major === undefined ? undefined : { major, minor: kind.minor ?? Number(match[1]), fileMode: kind.fileMode };
  }
  return undefined;
}

/** The number of a driver of character devices. */
function majorOf(driver: string, roots: HostRoots): number | undefined {
  const [characters = ""] = (readFact(join(roots.kernel, "proc/devices")) ?? "").split("Block devices:");
  const row = characters.split("\n").find((line) => line.trim().split(/\s+/)[1] === driver);
  return row === undefined ? undefined : Number(row.trim().split(/\s+/)[0]);
}

/** Says of missing nodes what makes them. */
export function missingNodes(paths: readonly string[]): readonly string[] {
  return paths.map((path) => {
    const what = `device node \`${path}\` is missing, and the kernel has no driver of it`;
    if (path.startsWith("/dev/nvidia-uvm")) return `${what}: run \`nvidia-modprobe -u -c 0\` as root`;
    return path.startsWith("/dev/nvidia") ? `${what}: run \`nvidia-modprobe -c 0\` as root` : what;
  });
}
