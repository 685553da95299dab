// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import type { Digest } from "../base/index.ts";
import { hexOf, ioError, systemErrorCode } from "../base/index.ts";
import type { StoreContext } from "./context.ts";

/**
 * The layer's short link. It is made before the layer is published; made again here when somebody removed it. Falls
 * back to the long path when it can't be used.
 */
export function ensureLink(context: StoreContext, diffId: Digest): string {
  const { layout, effects } = context;
  const link = layout.link(diffId);
  const target = linkTarget(diffId);
  const path = join(layout.root, link);
  const found = readLinkIfPresent(path);
  if (found === target) return link;
  if (found === undefined && !context.readonly && effects.link("layer.link", target, path)) return link;
  return readLinkIfPresent(path) === target ? link : `layers/${hexOf(diffId)}/tree`;
}

/** What a layer's short link holds. */
export function linkTarget(diffId: Digest): string {
  return `../layers/${hexOf(diffId)}/tree`;
}

/** The text of a symbolic link; undefined when there is none, empty when it is something else. */
export function readLinkIfPresent(path: string): string | undefined {
  try {
    return fs.readlinkSync(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    if (systemErrorCode(error) === "EINVAL") return "";
    throw ioError(`reading link \`${path}\``, error);
  }
}
