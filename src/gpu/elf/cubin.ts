// SPDX-License-Identifier: Apache-2.0
/*
 * Which CUDA compiled a piece of machine code. A cubin is an ELF file: up to CUDA 12 its `e_version` is the toolkit's
 * version (128 for 12.8); later ones have it as text (`Cuda compilation tools, release 13.2, V13.2.86`).
 */
import * as zlib from "node:zlib";
import type { FatbinEntry } from "./fatbin.ts";

const LZ4 = 0x2000;
const ZSTD = 0x8000;
const HEAD = 24;
const PREFIX = 512;
const LARGEST_PAYLOAD = 64 << 10;
const LARGEST = 16 << 20;
const MACHINE_CUDA = 190;

/** How many bytes of a payload say it: zstd is unpacked as a whole, and only when that is small. */
export function lookedAt({ flags, payload }: Pick<FatbinEntry, "flags" | "payload">): number {
  if ((flags & ZSTD) === 0) return Math.min(payload, PREFIX);
  return payload <= LARGEST_PAYLOAD ? payload : 0;
}

/** `12.8`; undefined when the code does not tell. */
export function toolkitOfCubin(
  payload: Buffer,
  { flags, compressed }: Pick<FatbinEntry, "flags" | "compressed">,
): string | undefined {
  const stored = compressed > 0 ? payload.subarray(0, compressed) : payload;
  const plain = (flags & ZSTD) !== 0 ? unpackZstd(stored) : (flags & LZ4) !== 0 ? unpackLz4(stored, HEAD) : stored;
  if (plain === undefined || plain.length < HEAD || plain.readUInt32BE(0) !== 0x7f454c46) return undefined;
  if (plain.readUInt16LE(18) !== MACHINE_CUDA) return undefined;
  return toolkitOfNumber(plain.readUInt32LE(20) & 0xffff) ?? toolkitOfText(plain);
}

function toolkitOfNumber(version: number): string | undefined {
  return version >= 70 && version < 400 ? `${Math.floor(version / 10)}.${version % 10}` : undefined;
}

function toolkitOfText(bytes: Buffer): string | undefined {
  return /Cuda compilation tools, release (\d+\.\d+),/.exec(bytes.toString("latin1"))?.[1];
}

function unpackZstd(bytes: Buffer): Buffer | undefined {
  try {
    return zlib.zstdDecompressSync(bytes, { maxOutputLength: LARGEST });
  } catch {
    return undefined;
  }
}

/**
 * The first bytes of an LZ4 block (lz4_Block_format.md): a token (lengths of literals and of a match, less 4), literals,
 * the distance of the match. Undefined when it is broken.
 */
export function unpackLz4(block: Buffer, length: number): Buffer | undefined {
  const out: number[] = [];
  let at = 0;
  const more = (count: number): number => {
    let sum = count;
    if (count !== 15) return sum;
    for (let byte = 255; byte === 255 && at < block.length && sum < length * 2;) {
      byte = block[at++] ?? 0;
      sum += byte;
    }
    return sum;
  };
  while (out.length < length && at < block.length) {
    const token = block[at++] ?? 0;
    const literals = more(token >> 4);
    out.push(...block.subarray(at, at + Math.min(literals, length)));
    at += literals;
    if (out.length >= length || at + 2 > block.length) break;
    const distance = block.readUInt16LE(at);
    at += 2;
    if (distance === 0 || distance > out.length) return undefined;
    const matched = Math.min(more(token & 15) + 4, length - out.length);
    for (let copied = 0; copied < matched; copied += 1) out.push(out[out.length - distance] ?? 0);
  }
  return out.length < length ? undefined : Buffer.from(out.slice(0, length));
}
