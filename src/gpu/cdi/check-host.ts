// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import type { CdiDeviceNode, CdiEdits } from "../types.ts";
import { isFullySpecified, pathOnHost } from "./fill-node.ts";
import { THIS_HOST } from "./host-node.ts";
import type { CdiHost } from "./host-node.ts";
import { isBind } from "./read-file.ts";
import type { CdiResolution } from "./registry.ts";

/** What is looked at. */
export interface HostCheckOptions {
  readonly host?: CdiHost;
  /** As for `applyEdits`: nodes are mounted, so they must be there whatever their specification says. */
  readonly isOrdinary?: boolean;
}

/**
 * Refuses to start with a specification that tells of another state of the host: a driver was upgraded, a module
 * unloaded. Throws `E_CDI_DEVICE`, which names every file that is missing.
 */
export function checkHostFiles({ edits, files }: CdiResolution, options: HostCheckOptions = {}): void {
  const missing = missingFiles(edits, options);
  if (missing.length === 0) return;
  const source = files.length === 0 ? "its generated specification" : files.join(", ");
  throw new TareError(
    "E_CDI_DEVICE",
    `giving CDI devices to the container: ${source} names what is not on this host: ${missing.join(", ")}`,
    {
      hint: "the specification may be older than the driver: write it anew with the vendor's program (NVIDIA: `nvidia-ctk cdi generate`), or remove it",
      exitCode: 125,
      details: { missing },
    },
  );
}

/** Paths of the host that edits need and that lead to nothing. */
export function missingFiles(edits: CdiEdits, options: HostCheckOptions = {}): readonly string[] {
  const host = options.host ?? THIS_HOST;
  return neededFiles(edits, options.isOrdinary === true).filter((path) => !host.exists(path));
}

/** Sentences about nodes that are not what their specification says; a reboot may have given a driver other numbers. */
export function staleNodes({ deviceNodes }: CdiEdits, host: CdiHost = THIS_HOST): readonly string[] {
  return (deviceNodes ?? []).flatMap((node) => staleNode(node, host));
}

function staleNode(node: CdiDeviceNode, host: CdiHost): readonly string[] {
  const { type, major = 0, minor = 0 } = node;
  if (!isFullySpecified(node) || (type !== "b" && type !== "c")) return [];
  const path = pathOnHost(node);
  const found = host.lookup(path);
  if (found === undefined || found.type === "other") return [];
  if (found.type === type && found.major === major && found.minor === minor) return [];
  const there = `${found.type} ${found.major}:${found.minor}`;
  return [`the CDI specification says that \`${path}\` is ${type} ${major}:${minor}, and on this host it is ${there}`];
}

function neededFiles(edits: CdiEdits, isOrdinary: boolean): readonly string[] {
  const nodes = (edits.deviceNodes ?? []).filter((node) => isOrdinary || !isFullySpecified(node));
  const mounts = (edits.mounts ?? []).filter(isBind);
  // A hook of `startContainer` is a program of the container.
  const hooks = (edits.hooks ?? []).filter(({ hookName }) => hookName !== "startContainer");
  const paths = [...nodes.map(pathOnHost), ...mounts.map(({ hostPath }) => hostPath), ...hooks.map(({ path }) => path)];
  return [...new Set(paths)];
}
