// SPDX-License-Identifier: Apache-2.0
/*
 * A tree becomes a backup in one walk. With a parent, its manifest is read beside the walk: both are in the same order,
 * so that what is new, changed or gone shows without holding either in memory.
 */
import { join } from "node:path";
import { TarWriter } from "../../archive/index.ts";
import { fileChunks, randomHex } from "../../base/index.ts";
import type { ByteSink } from "../../base/index.ts";
import type { VolumeRecord } from "../record.ts";
import { writeFile } from "./content.ts";
import { DELETED, END, FORMAT, HEADER, MANIFEST } from "./format.ts";
import type { BackupEnd, BackupHeader, BackupName } from "./format.ts";
import { Spool } from "./spool.ts";
import { walkInto } from "./walk-into.ts";
import type { EntryTarget, WalkCounts, WalkOptions } from "./walk-into.ts";

/** What is backed up, and how. */
export interface BackupOptions extends WalkOptions {
  readonly volume: VolumeRecord;
  /** A folder of the caller's for lists. */
  readonly folder: string;
}

/** What a backup holds. */
export interface BackupReport extends BackupName, WalkCounts {}

/** Writes a backup. Throws `E_VOLUME_CHANGED` for a file that does not come to rest, `E_IO`, `E_ABORTED`. */
export async function writeBackup(sink: ByteSink, options: BackupOptions): Promise<BackupReport> {
  const writer = new TarWriter(sink);
  const header = headerOf(options);
  await writeText(writer, HEADER, `${JSON.stringify(header, undefined, 2)}\n`);
  const lists = { manifest: spool(options, "manifest"), deleted: spool(options, "deleted") };
  const facts = await walkInto(targetOf(writer), options, lists);
  lists.deleted.end();
  if (header.parent !== null) await writeList(writer, DELETED, lists.deleted);
  const manifest = lists.manifest.end();
  await writeList(writer, MANIFEST, lists.manifest);
  const { entries, bytes } = facts;
  const end: BackupEnd = { digest: await writer.digest(), manifest, entries, bytes };
  await writeText(writer, END, `${JSON.stringify(end)}\n`);
  await writer.finish();
  return { id: header.id, manifest, ...facts };
}

function headerOf({ volume, parent }: BackupOptions): BackupHeader {
  const { name, createdAt, labels, options } = volume;
  return {
    format: FORMAT,
    version: 1,
    id: randomHex(16),
    createdAt: Date.now(),
    volume: { name, createdAt, labels, options },
    parent: parent?.name ?? null,
  };
}

function targetOf(writer: TarWriter): EntryTarget {
  return {
    entry: (fields) => writer.entry(fields),
    file: (fields, source) => writeFile(writer, fields, source),
  };
}

function spool({ folder }: BackupOptions, name: string): Spool {
  return new Spool(join(folder, `${name}-${randomHex(4)}`));
}

async function writeText(writer: TarWriter, name: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  await writer.entry({ type: "file", name, mode: 0o644, mtime: 0, size: bytes.length });
  await writer.write(bytes);
}

async function writeList(writer: TarWriter, name: string, list: Spool): Promise<void> {
  await writer.entry({ type: "file", name, mode: 0o644, mtime: 0, size: list.size });
  for await (const chunk of fileChunks(list.path)) await writer.write(chunk);
}
