// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import type { CdiDeviceNode } from "../types.ts";
import type { CdiHost } from "./host-node.ts";

/** True when a node can be made without looking at the host's. */
export function isFullySpecified({ type, major }: CdiDeviceNode): boolean {
  return (type ?? "") !== "" && ((major ?? 0) !== 0 || type === "p");
}

/**
 * The node with what its specification leaves out, from the host's node at `hostPath` or `path`. Throws `E_CDI_DEVICE`
 * when that is missing, no device, or of another type, unless the specification says all that is needed.
 */
export function fillNode(node: CdiDeviceNode, host: CdiHost): CdiDeviceNode {
  const hostPath = pathOnHost(node);
  const found = host.lookup(hostPath);
  if (found === undefined || found.type === "other") {
    if (isFullySpecified(node)) return { ...node, hostPath };
    throw nodeError(hostPath, found === undefined ? "there is no such device" : "it is not a device");
  }
  const filled = { ...node, hostPath, fileMode: node.fileMode ?? found.mode };
  if (isFullySpecified(node)) return filled;
  const type = node.type === undefined || node.type === "" ? found.type : node.type;
  if (type !== found.type) throw nodeError(hostPath, `it is of type ${found.type}, its specification says ${type}`);
  if (type === "p") return { ...filled, type };
  return { ...filled, type, major: found.major, minor: found.minor };
}

/** Where a node is on the host. */
export function pathOnHost({ hostPath, path }: CdiDeviceNode): string {
  return hostPath === undefined || hostPath === "" ? path : hostPath;
}

function nodeError(path: string, why: string): TareError {
  return new TareError("E_CDI_DEVICE", `giving device \`${path}\` to the container: ${why}`, { exitCode: 125 });
}
