// SPDX-License-Identifier: Apache-2.0
import type { Layer } from "../store/index.ts";

/** Lower directories as overlayfs wants them: topmost first; empty layers add nothing. */
export function lowerOf(layers: readonly Layer[]): string[] {
  return layers.filter((layer) => layer.entries > 0).map((layer) => layer.link).toReversed();
}
