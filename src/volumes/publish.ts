// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ioError, linux } from "../base/index.ts";
import { checkVolumeName } from "./names.ts";
import { recordsOf } from "./record.ts";
import type { VolumeRecord, VolumeStore } from "./record.ts";
import { dataPath, findVolume, folderOf, placeOf } from "./volumes.ts";
import type { VolumeUsers } from "./volumes.ts";
import { syncDisk } from "./work.ts";
import type { Work } from "./work.ts";

/** A tree that becomes a volume. */
export interface Publication {
  readonly name: string;
  /** Of the new volume; one that exists keeps its own. */
  readonly labels: Readonly<Record<string, string>>;
  /** Takes the place of what an existing volume holds. */
  readonly replace: boolean;
  /** Containers that run with the volume: they would go on with what it held before. */
  readonly running: VolumeUsers;
}

/** Where a tree is put together. */
export function stagedTree(work: Work): string {
  const tree = join(work.folder, "volume", "data");
  fs.mkdirSync(tree, { recursive: true, mode: 0o755 });
  fs.chmodSync(tree, 0o755);
  return tree;
}

/**
 * Refuses early what `publishTree` would refuse. Throws `E_VOLUME_NAME`, `E_VOLUME_EXISTS`, `E_VOLUME_INUSE`, and
 * `E_VOLUME_OPTION` for a volume that is somewhere else or in memory.
 */
export function requirePlace(store: VolumeStore, { name, replace, running }: Publication): void {
  checkVolumeName(name);
  const known = findVolume(store, name);
  if (known === undefined) return;
  if (!replace) {
    throw new TareError("E_VOLUME_EXISTS", `making the volume \`${name}\`: it exists already`, {
      hint: "take another name, or give `--force` to replace what it holds",
    });
  }
  if (placeOf(store, known).backing.kind !== "folder") {
    throw new TareError(
      "E_VOLUME_OPTION",
      `replacing the volume \`${name}\`: its files are not in a folder of its own`,
      {
        hint: "restore to another volume, and copy from there",
      },
    );
  }
  const used = running(name);
  if (used.length === 0) return;
  throw new TareError("E_VOLUME_INUSE", `replacing the volume \`${name}\`: volume is in use by ${used.join(", ")}`, {
    hint: `stop what runs with it first (\`tare stop ${used.join(" ")}\`)`,
    details: { containers: used },
  });
}

/** Makes the staged tree the volume, at once and on the disk. Throws as `requirePlace`. */
export async function publishTree(store: VolumeStore, work: Work, publication: Publication): Promise<VolumeRecord> {
  const { name, labels } = publication;
  await syncDisk(join(work.folder, "volume"));
  let result: VolumeRecord | undefined;
  recordsOf(store).change(name, (before) => {
    // Also what a container did meanwhile: it names its volumes in its record before it makes them.
    requirePlace(store, publication);
    const known = before ?? findVolume(store, name);
    moveIn(store, work, name);
    result = known ?? { version: 1, name, createdAt: Date.now(), labels, options: {} };
    return result;
  });
  if (result === undefined) throw new Error("bug: the record was not written");
  return result;
}

function moveIn(store: VolumeStore, work: Work, name: string): void {
  const folder = folderOf(store, name);
  const at = (path: string): { readonly directory: number; readonly path: string } => ({
    directory: linux.AT_FDCWD,
    path,
  });
  try {
    if (!fs.existsSync(dataPath(store, name))) {
      if (fs.existsSync(folder)) fs.renameSync(folder, join(work.folder, "empty"));
      fs.renameSync(join(work.folder, "volume"), folder);
      return;
    }
    linux.renameat2(at(join(work.folder, "volume", "data")), at(dataPath(store, name)), linux.RENAME_EXCHANGE);
    fs.rmSync(join(folder, "filling"), { force: true });
  } catch (error) {
    throw ioError(`making the volume \`${name}\``, error);
  }
}
