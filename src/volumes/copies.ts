// SPDX-License-Identifier: Apache-2.0
/* Volumes to backups, from backups and to other volumes. */

import { CompressSink, byteName } from "../archive/index.ts";
import { TareError } from "../base/index.ts";
import type { ByteSink } from "../base/index.ts";
import { factsIn } from "./backup/compare.ts";
import { readBackup } from "./backup/read.ts";
import type { BackupContents } from "./backup/read.ts";
import { restoreBackups } from "./backup/restore.ts";
import type { Restored } from "./backup/restore.ts";
import { walk } from "./backup/facts.ts";
import { writeBackup } from "./backup/write.ts";
import type { BackupReport } from "./backup/write.ts";
import { copyTree, folderNode } from "./copy-tree.ts";
import { publishTree, requirePlace, stagedTree } from "./publish.ts";
import type { Publication } from "./publish.ts";
import type { VolumeRecord, VolumeStore } from "./record.ts";
import { placeOf, requireVolume } from "./volumes.ts";
import { openWork } from "./work.ts";
import type { Work } from "./work.ts";

/** What every copy accepts. */
export interface CopyCall {
  /** Told of each file, with its bytes. */
  readonly onFile?: (path: string, size: number) => void;
  readonly signal?: AbortSignal;
}

/** How a backup is made. */
export interface BackupRequest extends CopyCall {
  readonly compression: "none" | "gzip" | "zstd";
  /** The backup that this one goes on from. */
  readonly since?: AsyncIterable<Uint8Array>;
}

/** A volume's files, where they can be read. Throws `E_VOLUME_NOTFOUND`, `E_VOLUME_OPTION` for one in memory. */
export function readableVolume(
  store: VolumeStore,
  name: string,
  doing: string,
): { readonly record: VolumeRecord; readonly data: string } {
  const record = requireVolume(store, name, doing);
  const { data } = placeOf(store, record);
  if (data !== undefined) return { record, data: byteName(data, undefined) };
  throw new TareError("E_VOLUME_OPTION", `${doing} \`${name}\`: it is in memory, each container's own`, {
    hint: "copy the files out of the container, or use a volume on the disk",
  });
}

/** Bytes that are stored of all files. */
export function measureVolume(data: string): number {
  let total = 0;
  for (const { stats } of walk(data))
    if (stats.isFile()) total += Math.min(Number(stats.size), Number(stats.blocks) * 512);
  return total;
}

/** Writes a volume to a backup. Throws as `readableVolume` and `writeBackup`. */
export async function backupVolume(
  store: VolumeStore,
  name: string,
  sink: ByteSink,
  request: BackupRequest,
): Promise<BackupReport> {
  const { record: volume, data } = readableVolume(store, name, "backing up the volume");
  return withWork(store, async ({ folder }) => {
    const { since, compression, ...call } = request;
    const parent = since && (await parentOf(since, folder, call));
    const options = { volume, data, folder, ...call, ...(parent === undefined ? {} : { parent }) };
    if (compression === "none") return writeBackup(sink, options);
    const compressed = new CompressSink(sink, { kind: compression });
    const report = await writeBackup(compressed, options);
    await compressed.finish();
    return report;
  });
}

async function parentOf(
  since: AsyncIterable<Uint8Array>,
  folder: string,
  { signal }: CopyCall,
): Promise<NonNullable<Parameters<typeof writeBackup>[1]["parent"]>> {
  const { header, end, manifest } = await readBackup(since, folder, signal === undefined ? {} : { signal });
  return { name: { id: header.id, manifest: end.manifest }, facts: factsIn(manifest) };
}

/** Reads a backup to its end. Throws `E_VOLUME_BACKUP` unless it is whole. */
export async function verifyBackup(
  store: VolumeStore,
  source: AsyncIterable<Uint8Array>,
  { signal }: CopyCall,
): Promise<Omit<BackupContents, "manifest">> {
  return withWork(store, ({ folder }) => readBackup(source, folder, signal === undefined ? {} : { signal }));
}

/** Makes a volume of a full backup and those that go on from it. Throws as `requirePlace` and `restoreBackups`. */
export async function restoreVolume(
  store: VolumeStore,
  sources: readonly AsyncIterable<Uint8Array>[],
  publication: Publication,
  call: CopyCall,
): Promise<Restored> {
  requirePlace(store, publication);
  return withWork(store, async (work) => {
    const tree = byteName(stagedTree(work), undefined);
    const restored = await restoreBackups(sources, { tree, folder: work.folder, ...call });
    await publishTree(store, work, { ...publication, labels: restored.header.volume.labels });
    return restored;
  });
}

/** Makes a volume that holds what another does; where the file system can, they share the disk. */
export async function cloneVolume(
  store: VolumeStore,
  from: string,
  publication: Omit<Publication, "labels">,
  call: CopyCall,
): Promise<VolumeRecord> {
  const { record, data } = readableVolume(store, from, "cloning the volume");
  const { labels } = record;
  requirePlace(store, { ...publication, labels });
  return withWork(store, async (work) => {
    const tree = byteName(stagedTree(work), undefined);
    await copyTree(folderNode(data), tree, { fromImage: false, ...call });
    return publishTree(store, work, { ...publication, labels });
  });
}

/** Runs work in a folder of its own, which goes with it. */
export async function withWork<T>(store: VolumeStore, act: (work: Work) => Promise<T>): Promise<T> {
  const work = openWork(store);
  try {
    return await act(work);
  } finally {
    work.close();
  }
}
