// SPDX-License-Identifier: Apache-2.0
/*
 * A config is read at each `run`. Hashing it means loading `node:crypto`, 5 ms of a start that should take 80; so its
 * digest is computed at the first use after a boot or a change of the file, and its stamp compared afterwards.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { ensureDirectory, hexOf, ioError, readTextIfPresent } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { Store } from "../store/index.ts";

/** The whole blob. Throws `E_BLOB_MISSING`, and `E_STORE_DAMAGED` when a changed file does not match its digest. */
export function readCheckedBlob(store: Store, digest: Digest): Buffer {
  const path = store.blobs.path(digest);
  const stamp = stampOf(path);
  const folder = join(store.runRoot, "checked");
  const memo = join(folder, hexOf(digest));
  if (readTextIfPresent(memo) === stamp) return readAt(path);
  const bytes = store.blobs.read(digest);
  remember(folder, memo, stamp);
  return bytes;
}

/** Any write to the file, and any other file in its place, changes it. */
function stampOf(path: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = fs.statSync(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

function readAt(path: string): Buffer {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    throw ioError(`reading \`${path}\``, error);
  }
}

/** Without it the next one hashes again, so a full disk is no error; a part of a stamp equals none. */
function remember(folder: string, memo: string, stamp: string): void {
  try {
    ensureDirectory(folder);
    fs.writeFileSync(memo, stamp, { mode: 0o600 });
  } catch {
    fs.rmSync(memo, { force: true });
  }
}
