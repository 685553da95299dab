// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { TareError, isTareError, linux } from "../base/index.ts";

/**
 * Up to here a layer's files are synced one by one (0.1–0.3 ms each). syncfs(2) is one call however many there are,
 * but costs 12 ms of FFI loading when nothing else loaded it, and waits for what others write to the disk.
 */
const ONE_BY_ONE = 32;

/** Makes everything below `folder` survive a power cut. `entries` says about how much there is. */
export function syncTree(folder: string, entries: number): void {
  if (entries > ONE_BY_ONE && syncFileSystem(folder)) return;
  syncBelow(Buffer.from(folder));
}

/** The same; what is one long call blocks no thread of this program. */
export async function syncTreeLater(folder: string, entries: number): Promise<void> {
  if (entries > ONE_BY_ONE && (await syncFileSystemLater(folder))) return;
  syncBelow(Buffer.from(folder));
}

async function syncFileSystemLater(folder: string): Promise<boolean> {
  const descriptor = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    await linux.syncfsLater(descriptor);
    return true;
  } catch (error) {
    if (isTareError(error, "E_UNSUPPORTED")) return false;
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** False where the system call can't be made; a failure of the disk itself is thrown. */
function syncFileSystem(folder: string): boolean {
  const descriptor = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    linux.syncfs(descriptor);
    return true;
  } catch (error) {
    if (isTareError(error, "E_UNSUPPORTED")) return false;
    throw error instanceof TareError ? error : new TareError("E_IO", `syncing \`${folder}\``, { cause: error });
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Names are bytes: they need not be UTF-8. Links and special files live in their directory's data. */
function syncBelow(directory: Buffer): void {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true, encoding: "buffer" })) {
    const path = Buffer.concat([directory, Buffer.from("/"), entry.name]);
    if (entry.isDirectory()) syncBelow(path);
    else if (entry.isFile()) syncOne(path, fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  }
  syncOne(directory, fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
}

function syncOne(path: Buffer, flags: number): void {
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | flags);
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
