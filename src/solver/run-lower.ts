// SPDX-License-Identifier: Apache-2.0
import type { Layer } from "../store/index.ts";

/**
 * Lower directories as overlayfs wants them: topmost first. Empty layers add nothing. Of a layer that is there twice,
 * which overlayfs refuses, the upper one counts: it hides all that the lower one shows, and hides what that hides.
 */
export function lowerOf(layers: readonly Layer[]): string[] {
  const links = layers.filter((layer) => layer.entries > 0).map((layer) => layer.link);
  return [...new Set(links.toReversed())];
}
