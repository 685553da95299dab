// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { ioError } from "../base/index.ts";
import type { ScannedFile } from "./size-scan.ts";
import type { Duplicate } from "./size-types.ts";

/** Smaller files are not worth a line. */
const SMALLEST = 64 << 10;
const CHUNK = 1 << 20;
/** What is compared first: most files of equal size differ here. */
const START = 4 << 10;

/** Equal files at several paths. Only files of equal size and equal beginning are read. Throws `E_IO`, `E_ABORTED`. */
export function findDuplicates(files: Iterable<ScannedFile>, signal?: AbortSignal): readonly Duplicate[] {
  const large = [...files].filter(({ size }) => size >= SMALLEST);
  const sameSize = grouped(large, ({ size }) => String(size));
  const sameStart = sameSize.flatMap((group) => grouped(group, (file) => hashOf(file, START, signal)));
  const same = sameStart.flatMap((group) => {
    const byDigest = new Map<string, ScannedFile[]>();
    for (const file of group) add(byDigest, hashOf(file, Infinity, signal), file);
    return [...byDigest].filter(([, members]) => members.length > 1);
  });
  return same
    .map(([hex, members]): Duplicate => {
      const size = members[0]?.size ?? 0;
      const paths = members.map(({ path }) => `/${path}`).sort();
      return { digest: `sha256:${hex}`, size, wasted: size * (members.length - 1), paths };
    })
    .sort((a, b) => b.wasted - a.wasted || (a.digest < b.digest ? -1 : 1));
}

/** The groups of more than one. */
function grouped(files: readonly ScannedFile[], key: (file: ScannedFile) => string): readonly ScannedFile[][] {
  const groups = new Map<string, ScannedFile[]>();
  for (const file of files) add(groups, key(file), file);
  return [...groups.values()].filter((group) => group.length > 1);
}

function add(groups: Map<string, ScannedFile[]>, key: string, file: ScannedFile): void {
  const group = groups.get(key);
  if (group) group.push(file);
  else groups.set(key, [file]);
}

function hashOf({ hostPath, path }: ScannedFile, limit: number, signal: AbortSignal | undefined): string {
  const hasher = createHash("sha256");
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK, limit));
  try {
    const descriptor = fs.openSync(hostPath, "r");
    try {
      for (let done = 0; done < limit;) {
        signal?.throwIfAborted();
        const count = fs.readSync(descriptor, chunk, 0, chunk.length, null);
        if (count === 0) break;
        hasher.update(chunk.subarray(0, count));
        done += count;
      }
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    throw ioError(`reading \`/${path}\` of the image`, error);
  }
  return hasher.digest("hex");
}
