// SPDX-License-Identifier: Apache-2.0
/* The content of a file that is packed, wherever it is. */
import * as fs from "node:fs";
import { TareError } from "../base/index.ts";
import { displayName } from "./tar-entry.ts";
import type { PlannedContent } from "./planned-tree.ts";
import type { TarFields } from "./tar-encode.ts";

/** A path in the file system (a buffer where it is not UTF-8), or planned content. */
export type FileContent = string | Buffer | PlannedContent;

/** Memory and pauses of who reads contents. */
export interface ReadOptions {
  /** Takes pieces of files; only valid until the next one. */
  readonly room: Uint8Array;
  readonly pause: () => Promise<void>;
}

export function isPlanned(file: FileContent): file is PlannedContent {
  return typeof file !== "string" && !Buffer.isBuffer(file);
}

/** Hands on all of a file's content in pieces that are valid until `take` resolves. */
export async function readContent(
  file: FileContent,
  fields: TarFields,
  take: (piece: Uint8Array) => void | Promise<void>,
  options: ReadOptions,
): Promise<void> {
  if (isPlanned(file)) return readPlanned(file, take);
  const content = openContent(file, fields);
  try {
    for (let left = fields.size ?? 0; left > 0;) {
      const count = content.read(options.room.subarray(0, Math.min(left, options.room.length)));
      left -= count;
      const pending = take(options.room.subarray(0, count));
      if (pending !== undefined) await pending;
      if (left > 0) await options.pause();
    }
  } finally {
    content.close();
  }
}

async function readPlanned(
  { content, observe }: PlannedContent,
  take: (piece: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const observer = observe?.();
  const write = (piece: Uint8Array): void | Promise<void> => {
    observer?.update(piece);
    return take(piece);
  };
  if (Buffer.isBuffer(content)) await write(content);
  else await content.zip.extractEntry(content.entry, { write });
  observer?.end();
}

/** A file's content, to be read once. */
export interface OpenContent {
  /** Fills the start of `room` and says how much; never 0: a file that ended too early throws `E_IO`. */
  read(room: Uint8Array): number;
  close(): void;
}

/** Opens a file of the tree, and nothing else in its place. */
export function openContent(file: string | Buffer, fields: TarFields): OpenContent {
  const descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
  return {
    read: (room) => {
      const count = fs.readSync(descriptor, room, 0, room.length, null);
      if (count > 0) return count;
      throw new TareError("E_IO", `packing \`${displayName(fields.name)}\`: it shrank meanwhile`);
    },
    close: () => fs.closeSync(descriptor),
  };
}
