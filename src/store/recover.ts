// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { isTareError } from "../base/index.ts";
import type { StoreContext } from "./context.ts";
import { readLinkIfPresent } from "./layer-links.ts";
import { layerDigests } from "./layers.ts";
import { namesIn } from "./layout.ts";

/**
 * Removes what dead processes left behind; returns their lease names. One readdir when there is none. Links go
 * first: should this process die too, the dead lease is still there and the next one does the same again. A lease
 * with something mounted in it is left for fsck to tell of: recovery must not stand in a command's way.
 */
export function recover(context: StoreContext): readonly string[] {
  const { dead } = context.leases.survey();
  if (dead.length === 0 || context.readonly) return [];
  removeDeadLinks(context);
  return dead.filter((name) => removeDead(context, join(context.layout.temporary, name)));
}

function removeDead(context: StoreContext, folder: string): boolean {
  try {
    context.effects.removeTree("recover.delete", folder);
    return true;
  } catch (error) {
    if (isTareError(error, "E_IO") && "mount" in error.details) return false;
    throw error;
  }
}

/** Removes short links whose layer is gone; returns their names. */
export function removeDeadLinks(context: StoreContext): readonly string[] {
  const dead = deadLinks(context);
  for (const name of dead) context.effects.unlink("prune.delete", join(context.layout.links, name));
  return dead;
}

/**
 * Short links that lead nowhere. A layer's maker claims its diffID, makes the link, publishes the layer and ends its
 * claim, in this order; names, layers, claims and targets are read in the same order, so a link in the making is
 * never in the list.
 */
export function deadLinks(context: StoreContext): readonly string[] {
  const { layout, leases } = context;
  const names = namesIn(layout.links);
  const expected = new Set(layerDigests(context).map((digest) => layout.link(digest)));
  for (const digest of leases.keptDigests()) expected.add(layout.link(digest));
  return names.filter((name) => !expected.has(`l/${name}`) && leadsNowhere(join(layout.links, name)));
}

function leadsNowhere(path: string): boolean {
  return readLinkIfPresent(path) !== undefined && !fs.statSync(path, { throwIfNoEntry: false });
}
