// SPDX-License-Identifier: Apache-2.0
/*
 * The first use of an empty volume: it gets what the image has at the mount's place. The files are put together beside
 * the volume and then moved into it one by one; the folder that containers see stays the same one, as a container may
 * have it mounted already. The mark `filling` says until the end that this has to be done again:
 *
 *     claim → fill-x/ put together → mark → every name moved that is not there yet → owner, mode, times → sync → no mark
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { byteName } from "../archive/index.ts";
import { TareError, ioError, linux, randomHex, removeTree, systemErrorCode } from "../base/index.ts";
import { resolveInTree } from "../store/index.ts";
import type { SourceTree, TreeEntry } from "../store/index.ts";
import { copyMetadata, copyTree } from "./copy-tree.ts";
import type { CopyNode } from "./copy-tree.ts";
import type { VolumeStore } from "./record.ts";
import { folderOf } from "./volumes.ts";
import { syncDisk } from "./work.ts";

/** A volume to fill. */
export interface FillPlace {
  readonly name: string;
  /** What containers see of it. */
  readonly data: string;
  /** Where in the image its files are. */
  readonly destination: string;
}

const POLL_MS = 20;
const PREFIX = ".tare-fill-";

/**
 * Fills a volume that is empty; one with anything in it stays as it is. Of several at once one does it, the others
 * wait. A kill at any point leaves it to the next. Throws `E_IO`, `E_NOSPACE`, `E_PERMISSION`.
 */
export async function fillVolume(store: VolumeStore, place: FillPlace, image: SourceTree): Promise<void> {
  if (!needsFilling(store, place)) return;
  const entry = image.lookup(resolveInTree(image, place.destination));
  if (!entry?.stats.isDirectory()) return;
  const release = await claim(store, `volume-fill:${place.name}`);
  try {
    if (needsFilling(store, place)) await fill(store, place, image, entry);
  } catch (error) {
    throw ioError(`preparing the volume \`${place.name}\``, error);
  } finally {
    release();
  }
}

function needsFilling(store: VolumeStore, { name, data }: FillPlace): boolean {
  return fs.existsSync(markOf(store, name)) || fs.readdirSync(data).every((child) => child.startsWith(PREFIX));
}

function markOf(store: VolumeStore, name: string): string {
  return join(folderOf(store, name), "filling");
}

async function claim(store: VolumeStore, key: string): Promise<() => void> {
  for (;;) {
    const release = store.claim(key);
    if (release) return release;
    await sleep(POLL_MS);
  }
}

async function fill(store: VolumeStore, place: FillPlace, image: SourceTree, entry: TreeEntry): Promise<void> {
  const folder = asideOf(store, place);
  for (const name of fs.readdirSync(folder)) if (name.startsWith(PREFIX)) removeTree(join(folder, name));
  const aside = join(folder, `${PREFIX}${randomHex(4)}`);
  const bytes = byteName(aside, undefined);
  await copyTree(imageNode(image, entry), bytes, { fromImage: true });
  const mark = markOf(store, place.name);
  fs.writeFileSync(mark, "", { mode: 0o600 });
  const data = byteName(place.data, undefined);
  for (const name of fs.readdirSync(aside, { encoding: "buffer" })) move(aside, place.data, name);
  copyMetadata(byteName(entry.hostPath, undefined), data, { fromImage: true });
  await syncDisk(place.data);
  removeTree(aside);
  fs.rmSync(mark, { force: true });
}

/** On the disk of the files, so that they can be moved. */
function asideOf(store: VolumeStore, { name, data }: FillPlace): string {
  const own = folderOf(store, name);
  return fs.statSync(own).dev === fs.statSync(data).dev ? own : data;
}

/** What a container has put there meanwhile stays. */
function move(from: string, to: string, name: Buffer): void {
  const at = (folder: string): Buffer => Buffer.concat([Buffer.from(`${folder}/`), name]);
  try {
    linux.renameat2(
      { directory: linux.AT_FDCWD, path: at(from) },
      { directory: linux.AT_FDCWD, path: at(to) },
      linux.RENAME_NOREPLACE,
    );
  } catch (error) {
    const code = error instanceof TareError ? linux.errnoNameOf(error) : systemErrorCode(error);
    if (code !== "EEXIST") throw error;
  }
}

function imageNode(image: SourceTree, entry: TreeEntry): CopyNode {
  return {
    name: byteName(entry.path.slice(entry.path.lastIndexOf("/") + 1), undefined),
    place: byteName(entry.hostPath, undefined),
    *children() {
      for (const child of image.list(entry.path)) yield imageNode(image, child);
    },
  };
}
