// SPDX-License-Identifier: Apache-2.0
/* Shared objects of distributions: files of a layer, or members of a wheel. */
import type { ZipEntry, ZipFile } from "../../archive/index.ts";
import { isTareError } from "../../base/index.ts";
import { openSource } from "../elf/elf-file.ts";
import { KernelReader, kernelsOfSource } from "../elf/kernels.ts";
import type { ObjectKernels } from "../elf/kernels.ts";
import { sourceOf } from "../elf/walk.ts";
import type { SharedObject } from "./types.ts";

/** A file of this machine. */
export function fileObject(path: string, hostPath: string, size: number): SharedObject {
  return { path, size, read: () => Promise.resolve(readFile(hostPath)) };
}

function readFile(hostPath: string): ObjectKernels | undefined {
  const source = openSource(hostPath);
  try {
    return kernelsOfSource(source);
  } finally {
    source.close();
  }
}

/** A member of a wheel. A stored one is read where it needs to be, a deflated one passes by as a whole. */
export function zipObject(zip: ZipFile, entry: ZipEntry): SharedObject {
  const { name: path, size } = entry;
  return {
    path,
    size,
    read: (signal) => (entry.method === 0 ? readStored(zip, entry) : readMember(zip, entry, signal)),
  };
}

function readStored(zip: ZipFile, entry: ZipEntry): Promise<ObjectKernels | undefined> {
  const start = zip.dataOffset(entry);
  const source = sourceOf(entry.size, (at, length) => {
    const bytes = Buffer.allocUnsafe(length);
    zip.readAt(bytes, start + at);
    return bytes;
  });
  return Promise.resolve(kernelsOfSource(source));
}

async function readMember(
  zip: ZipFile,
  entry: ZipEntry,
  signal: AbortSignal | undefined,
): Promise<ObjectKernels | undefined> {
  const reader = new KernelReader(entry.size);
  const sink = { write: (piece: Uint8Array): void => reader.write(piece) };
  try {
    await zip.extractEntry(entry, sink, signal === undefined ? {} : { signal });
  } catch (error) {
    // One member is damaged: what the others say still counts for nothing, so the wheel's kernels are unknown.
    if (isTareError(error, "E_ZIP_CONTENT")) return undefined;
    throw error;
  }
  return reader.end();
}
