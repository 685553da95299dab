// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { TareError, isTareError } from "../base/index.ts";
import type { Effects } from "./effects.ts";
import type { Layout } from "./layout.ts";

const MIB = 1024 * 1024;
/** Left free for state.db, leases and the system when something large comes in. */
const MARGIN = 16 * MIB;
const RESERVE = MIB;

/** Bytes free for this user on the store's file system. */
export function freeBytes(layout: Layout): number {
  const facts = fs.statfsSync(layout.root);
  return facts.bavail * facts.bsize;
}

/** Throws `E_NOSPACE` (details: needed, free) before anything is written when `size` bytes can't fit. */
export function requireSpace(layout: Layout, size: number, doing: string): void {
  if (size < MIB) return;
  const free = freeBytes(layout);
  if (size + MARGIN <= free) return;
  throw new TareError("E_NOSPACE", `${doing}: needs ${mebibytes(size + MARGIN)}, ${mebibytes(free)} free`, {
    hint: `free ${mebibytes(size + MARGIN - free)} on the disk of \`${layout.root}\` (\`tare system prune\`) or choose another with \`--root\``,
    details: { needed: size + MARGIN, free },
  });
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}

/** Keeps 1 MiB aside when there is room; random bytes, so that a compressing file system really allots them. */
export function fillReserve(layout: Layout, effects: Effects): void {
  if (fs.statSync(layout.reserve, { throwIfNoEntry: false })?.size === RESERVE) return;
  if (freeBytes(layout) < 8 * MIB) return;
  try {
    effects.writeFile("store.reserve", layout.reserve, randomBytes(RESERVE));
  } catch (error) {
    if (!isTareError(error, "E_NOSPACE")) throw error;
    effects.unlink("store.reserve", layout.reserve);
  }
}

/** Gives the reserve up when the disk is nearly full. Prune fills it again at its end. */
export function releaseReserve(layout: Layout, effects: Effects): void {
  if (freeBytes(layout) <= 4 * MIB) effects.unlink("store.reserve", layout.reserve);
}
