// SPDX-License-Identifier: Apache-2.0
/*
 * Wheels in pip's HTTP cache: to look into them, a dry run of an older pip downloads them whole. An entry is named by
 * the URL's SHA-224. Since 23.3 its body is a file of its own; before, it stands within one msgpack document. What is
 * found is given only when it has the digest.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { Hasher, writeAll } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { DistributionFile } from "../../python/index.ts";

/** A file with the wheel's bytes; those of an older cache are copied into `scratch`. Undefined when there is none. */
export function cachedWheel(cache: string, file: DistributionFile, scratch: string): string | undefined {
  if (file.url === undefined || file.digest === undefined || !/^https?:/.test(file.url)) return undefined;
  const { name, folder } = entryOf(file.url);
  const body = join(cache, "http-v2", folder, `${name}.body`);
  const path = isFile(body) ? body : copied(join(cache, "http", folder, name), join(scratch, `pip-${name}`));
  return path !== undefined && digestOfFile(path) === file.digest ? path : undefined;
}

/** CacheControl's key is the URL without its fragment, its host in small letters. */
function entryOf(url: string): { readonly name: string; readonly folder: string } {
  const parsed = new URL(url);
  parsed.hash = "";
  parsed.username = "";
  parsed.password = "";
  const name = createHash("sha224").update(parsed.href).digest("hex");
  return { name, folder: name.slice(0, 5).split("").join("/") };
}

/** The container wrote here: a link would lead out. */
function isFile(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** `cc=4,`, then `{"response": {"body": …` with a length of four bytes. */
const START = /^cc=4,[\x80-\x8f]\xa8response[\x80-\x8f]\xa4body\xc6/s;

function copied(entry: string, target: string): string | undefined {
  if (!isFile(entry)) return undefined;
  const source = fs.openSync(entry, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const head = Buffer.alloc(64);
    fs.readSync(source, head, 0, head.length, 0);
    const [start] = START.exec(head.toString("latin1")) ?? [];
    if (start === undefined) return undefined;
    copyRange(source, target, { at: start.length + 4, length: head.readUInt32BE(start.length) });
    return target;
  } finally {
    fs.closeSync(source);
  }
}

const CHUNK = 1 << 20;

function copyRange(
  source: number,
  path: string,
  { at, length }: { readonly at: number; readonly length: number },
): void {
  const target = fs.openSync(path, "w", 0o600);
  try {
    const buffer = Buffer.alloc(Math.min(CHUNK, length));
    for (let done = 0; done < length;) {
      const read = fs.readSync(source, buffer, 0, Math.min(buffer.length, length - done), at + done);
      if (read === 0) break;
      writeAll(target, buffer.subarray(0, read));
      done += read;
    }
  } finally {
    fs.closeSync(target);
  }
}

function digestOfFile(path: string): Digest {
  const hasher = new Hasher();
  const buffer = Buffer.alloc(CHUNK);
  const source = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    for (let read = 1; read > 0;) {
      read = fs.readSync(source, buffer);
      hasher.update(buffer.subarray(0, read));
    }
  } finally {
    fs.closeSync(source);
  }
  return hasher.digest();
}
