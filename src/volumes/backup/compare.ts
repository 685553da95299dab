// SPDX-License-Identifier: Apache-2.0
import { displayName } from "../../archive/index.ts";
import { comparePaths, damaged, parseFacts, sameFacts } from "./format.ts";
import type { Facts } from "./format.ts";
import { Sorted, linesOf } from "./spool.ts";

/** The lines of a manifest. */
export async function* factsIn(path: string): AsyncGenerator<Facts, void, undefined> {
  for await (const line of linesOf(path)) yield parseFacts(line);
}

/** Every file that came must be what the manifest says; in a full backup every file of the manifest must have come. */
export async function compareLists(seenPath: string, manifestPath: string, isFull: boolean): Promise<void> {
  const manifest = await Sorted.open(factsIn(manifestPath));
  let last: Facts | undefined;
  for await (const facts of factsIn(seenPath)) {
    // A file that changed while it was read comes again; the last one counts.
    if (last && last.path !== facts.path) await compareOne(manifest, last, isFull);
    last = facts;
  }
  if (last) await compareOne(manifest, last, isFull);
  if (isFull && manifest.next !== undefined) throw damaged(`\`${displayName(manifest.next.path)}\` is missing`);
  await manifest.close();
}

async function compareOne(manifest: Sorted<Facts>, seen: Facts, isFull: boolean): Promise<void> {
  while (manifest.next !== undefined) {
    const { next } = manifest;
    const order = comparePaths(next.path, seen.path);
    if (order > 0) break;
    await manifest.advance();
    if (order === 0 && sameFacts(next, seen)) return;
    if (order === 0 || isFull) throw damaged(`\`${displayName(next.path)}\` is not what its manifest says`);
  }
  throw damaged(`its manifest does not have \`${displayName(seen.path)}\``);
}
