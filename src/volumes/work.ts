// SPDX-License-Identifier: Apache-2.0
/*
 * What is unfinished lies beside the volumes, on their own disk:
 *
 *     volumes/.work/<lease>/    of one process; rubbish as soon as the lease's folder in tmp/ is gone
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { ensureDirectory, ioError, linux, removeTree, systemErrorCode } from "../base/index.ts";
import type { VolumeStore } from "./record.ts";

/** A folder for unfinished work; `close` deletes it and all in it. */
export interface Work {
  readonly folder: string;
  close(): void;
}

/** Opens a folder of this process's own. */
export function openWork(store: VolumeStore): Work {
  const lease = store.lease();
  const folder = join(workRoot(store), lease.id);
  try {
    ensureDirectory(folder);
  } catch (error) {
    lease.release();
    throw ioError(`making the folder \`${folder}\``, error);
  }
  const close = (): void => {
    removeTree(folder);
    lease.release();
  };
  return { folder, close };
}

/** Deletes what dead processes left; how many there were. One readdir when there is nothing. */
export function clearWork(store: Pick<VolumeStore, "root">): number {
  const root = workRoot(store);
  const dead = namesIn(root).filter((name) => !fs.existsSync(join(store.root, "tmp", name)));
  for (const name of dead) removeTree(join(root, name));
  return dead.length;
}

function workRoot({ root }: Pick<VolumeStore, "root">): string {
  return join(root, "volumes", ".work");
}

/** Names in a folder; none when there is no folder. */
export function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw ioError(`reading \`${folder}\``, error);
  }
}

/** Waits until the file system that a folder is on has everything on its disk. */
export async function syncDisk(folder: string): Promise<void> {
  const descriptor = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    await linux.syncfsLater(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}
