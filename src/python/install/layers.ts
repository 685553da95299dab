// SPDX-License-Identifier: Apache-2.0
/*
 * Which distributions share a layer. Overlayfs and registries bear some sixty layers well, so heavy ones get a layer
 * of their own, heaviest lowest, and the rest is dealt into groups by a hash of the name: a change of one distribution
 * changes one layer, and an added one moves nobody else.
 */
import type { WheelRef } from "../types.ts";

/** How many layers distributions may take. */
export interface LayerBudget {
  /** `--layers`; at least 1. */
  readonly layers?: number;
}

/** Leaves room for the base and the sources in the 60 that stay free of cost (docker pull, mount, start). */
const DEFAULT_LAYERS = 48;
/** From this size on, sending and unpacking a distribution again costs more than one more layer. */
const OWN_LAYER = 1 << 20;
/** Groups of small ones: a changed one takes an eighth of them along. */
const GROUPS = 8;

/** Groups in the order of their layers, lowest first; each group in the order of installation. */
export function planLayers(wheels: readonly WheelRef[], budget: LayerBudget = {}): readonly (readonly WheelRef[])[] {
  const most = Math.max(1, budget.layers ?? DEFAULT_LAYERS);
  const sorted = wheels.toSorted((a, b) => b.size - a.size || compareNames(a, b));
  const heavy = sorted.filter(({ size }) => size >= OWN_LAYER);
  const light = sorted.filter(({ size }) => size < OWN_LAYER);
  const groups = Math.min(GROUPS, Math.ceil(most / 3));
  const alone = heavy.slice(0, Math.max(0, most - groups));
  const shared = [...heavy.slice(alone.length), ...light];
  return [...alone.map((wheel) => [wheel]), ...dealt(shared, Math.max(1, Math.min(groups, most - alone.length)))];
}

/** A distribution's group depends on its name and the number of groups alone. */
function dealt(wheels: readonly WheelRef[], groups: number): readonly (readonly WheelRef[])[] {
  const dealtOut: WheelRef[][] = Array.from({ length: groups }, () => []);
  for (const wheel of wheels) dealtOut[hash(wheel.name) % groups]?.push(wheel);
  return dealtOut.filter((group) => group.length > 0).map((group) => group.toSorted(compareNames));
}

function compareNames(a: WheelRef, b: WheelRef): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** FNV-1a, finished so that low bits depend on all of the name. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
  value ^= value >>> 16;
  return Math.imul(value, 0x45d9f3b) >>> 0;
}
