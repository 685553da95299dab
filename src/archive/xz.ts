// SPDX-License-Identifier: Apache-2.0
/*
 * xz streams (the .xz file format, version 1.1): header, blocks of LZMA2 data each with a check, index, footer; any
 * number of streams with padding between them. Filters other than LZMA2 are refused.
 */
import { createHash } from "node:crypto";
import * as zlib from "node:zlib";
import { ByteReader } from "./byte-reader.ts";
import { LzmaDecoder } from "./lzma.ts";
import { compressionError } from "./transform.ts";

const MAGIC = "\xfd7zXZ\0";
const LZMA2 = 0x21;
const MAX_WINDOW = 256 << 20;
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** Decodes an xz stream. Throws `E_COMPRESSION`. */
export async function* decodeXz(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source, "xz");
  try {
    do yield* stream(reader);
    while (await skipPadding(reader));
  } finally {
    await reader.close();
  }
}

function failed(why: string): Error {
  return compressionError("xz", why);
}

async function skipPadding(reader: ByteReader): Promise<boolean> {
  while (await reader.fill(4)) {
    if (reader.buffered.readUInt32LE(0) !== 0) return true;
    reader.skip(4);
  }
  if (await reader.fill(1)) throw failed("there is something else after it");
  return false;
}

async function* stream(reader: ByteReader): AsyncGenerator<Uint8Array> {
  const header = await reader.peek(12);
  if (header.toString("latin1", 0, 6) !== MAGIC) throw failed("there is something else after it");
  if (zlib.crc32(header.subarray(6, 8)) !== header.readUInt32LE(8)) throw failed("the header's checksum is wrong");
  const check = header[7] ?? 0;
  if (header[6] !== 0 || check > 15) throw failed("it is of an unknown kind");
  reader.skip(12);
  const sizes: BlockSizes[] = [];
  while ((await reader.peek(1))[0] !== 0) sizes.push(yield* block(reader, check));
  const indexSize = await index(reader, sizes);
  const footer = await reader.peek(12);
  const isRight = footer.toString("latin1", 8, 12) === `\0${String.fromCharCode(check)}YZ`;
  if (!isRight || zlib.crc32(footer.subarray(4, 10)) !== footer.readUInt32LE(0)) throw failed("the footer is wrong");
  if ((footer.readUInt32LE(4) + 1) * 4 !== indexSize) throw failed("the footer does not fit the index");
  reader.skip(12);
}

/** What the index repeats of each block. */
interface BlockSizes {
  readonly unpadded: number;
  readonly uncompressed: number;
}

async function* block(reader: ByteReader, check: number): AsyncGenerator<Uint8Array, BlockSizes> {
  const headerSize = (((await reader.peek(1))[0] ?? 0) + 1) * 4;
  const header = Buffer.from(await reader.peek(headerSize));
  if (zlib.crc32(header.subarray(0, headerSize - 4)) !== header.readUInt32LE(headerSize - 4)) {
    throw failed("a block header's checksum is wrong");
  }
  const decoder = new LzmaDecoder(windowSize(header));
  reader.skip(headerSize);
  const verifier = new Verifier(check);
  let [compressed, uncompressed] = [0, 0];
  for (let isFirst = true; ; isFirst = false) {
    const chunk = await lzma2Chunk(reader, decoder, isFirst);
    compressed += chunk.consumed;
    if (chunk.data === undefined) break;
    uncompressed += chunk.data.length;
    verifier.update(chunk.data);
    yield chunk.data;
  }
  const padding = (4 - (compressed % 4)) % 4;
  const size = CHECK_SIZES[check] ?? 0;
  const tail = await reader.peek(padding + size);
  if (!verifier.fits(tail.subarray(padding))) throw failed("a block's checksum is wrong");
  reader.skip(padding + size);
  return { unpadded: headerSize + compressed + size, uncompressed };
}

/** Reads a block header's filters: exactly one, LZMA2, whose byte is the window's size. */
function windowSize(header: Buffer): number {
  const flags = header[1] ?? 0;
  const cursor = { at: 2 };
  if ((flags & 0x40) !== 0) variable(header, cursor);
  if ((flags & 0x80) !== 0) variable(header, cursor);
  if ((flags & 3) !== 0 || variable(header, cursor) !== LZMA2) {
    throw failed("it uses a filter besides LZMA2, which is not supported");
  }
  const bits = header[cursor.at + 1] ?? 255;
  const size = bits > 40 ? Infinity : (2 | (bits & 1)) * 2 ** (Math.floor(bits / 2) + 11);
  if (header[cursor.at] !== 1 || size > MAX_WINDOW) throw failed("its window is larger than 256 MiB");
  return size;
}

/** A number of 7 bits a byte, least significant first. */
function variable(data: Buffer, cursor: { at: number }): number {
  let value = 0;
  for (let index = 0; index < 8; index += 1) {
    const byte = data[cursor.at];
    if (byte === undefined) throw failed("a number is cut");
    cursor.at += 1;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return value;
  }
  throw failed("a number is too large");
}

/** One chunk: its size with its header, and its data, undefined for the end mark. */
async function lzma2Chunk(
  reader: ByteReader,
  decoder: LzmaDecoder,
  isFirst: boolean,
): Promise<{ consumed: number; data?: Uint8Array }> {
  const control = (await reader.peek(1))[0] ?? 0;
  const resetsWindow = control === 1 || control >= 0xe0;
  if (control !== 0 && isFirst && !resetsWindow) throw failed("a block does not start anew");
  if (control === 0) {
    reader.skip(1);
    return { consumed: 1 };
  }
  if (resetsWindow) decoder.resetWindow();
  if (control >= 0x80) return lzmaChunk(reader, decoder, control);
  if (control > 2) throw failed("a chunk is of an unknown kind");
  const size = (await reader.peek(3)).readUInt16BE(1) + 1;
  const data = Buffer.from((await reader.peek(3 + size)).subarray(3));
  decoder.copy(data);
  reader.skip(3 + size);
  return { consumed: 3 + size, data };
}

async function lzmaChunk(
  reader: ByteReader,
  decoder: LzmaDecoder,
  control: number,
): Promise<{ consumed: number; data: Uint8Array }> {
  const hasProperties = control >= 0xc0;
  const headerSize = hasProperties ? 6 : 5;
  const header = await reader.peek(headerSize);
  const size = ((control & 0x1f) << 16) + header.readUInt16BE(1) + 1;
  const packed = header.readUInt16BE(3) + 1;
  if (hasProperties) decoder.setProperties(header[5] ?? 255);
  else if (control >= 0xa0) decoder.resetState();
  const input = (await reader.peek(headerSize + packed)).subarray(headerSize);
  const data = decoder.decode(input, size);
  reader.skip(headerSize + packed);
  return { consumed: headerSize + packed, data };
}

/** Checks the index against the blocks; returns its size. */
async function index(reader: ByteReader, sizes: readonly BlockSizes[]): Promise<number> {
  await reader.fill(Math.min(1 << 20, 64 + sizes.length * 18));
  const data = reader.buffered;
  const cursor = { at: 1 };
  if (variable(data, cursor) !== sizes.length) throw failed("the index does not fit the blocks");
  for (const { unpadded, uncompressed } of sizes) {
    const isSame = variable(data, cursor) === unpadded && variable(data, cursor) === uncompressed;
    if (!isSame) throw failed("the index does not fit the blocks");
  }
  const end = cursor.at + ((4 - (cursor.at % 4)) % 4);
  const whole = await reader.peek(end + 4);
  if (zlib.crc32(whole.subarray(0, end)) !== whole.readUInt32LE(end)) throw failed("the index's checksum is wrong");
  reader.skip(end + 4);
  return end + 4;
}

/** Computes a block's check; kinds that the format only reserves are not verified. */
class Verifier {
  readonly #kind: number;
  readonly #sha256 = createHash("sha256");
  #crc32 = 0;
  #high = 0xffffffff | 0;
  #low = 0xffffffff | 0;

  constructor(kind: number) {
    this.#kind = kind;
  }

  update(data: Uint8Array): void {
    if (this.#kind === 1) this.#crc32 = zlib.crc32(data, this.#crc32);
    else if (this.#kind === 4) this.#crc64(data);
    else if (this.#kind === 10) this.#sha256.update(data);
  }

  fits(check: Buffer): boolean {
    if (this.#kind === 1) return check.readUInt32LE(0) === this.#crc32;
    if (this.#kind === 10) return this.#sha256.digest().equals(check);
    if (this.#kind !== 4) return true;
    return check.readUInt32LE(0) === ~this.#low >>> 0 && check.readUInt32LE(4) === ~this.#high >>> 0;
  }

  #crc64(data: Uint8Array): void {
    let [high, low] = [this.#high, this.#low];
    for (let at = 0; at < data.length; at += 1) {
      const entry = (low ^ (data[at] ?? 0)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (CRC64_LOW[entry] ?? 0);
      high = (high >>> 8) ^ (CRC64_HIGH[entry] ?? 0);
    }
    [this.#high, this.#low] = [high, low];
  }
}

/** The ECMA-182 polynomial, reflected. */
const CRC64: readonly bigint[] = Array.from({ length: 256 }, (_, start) => {
  let value = BigInt(start);
  for (let bit = 0; bit < 8; bit += 1) value = value & 1n ? (value >> 1n) ^ 0xc96c5795d7870f42n : value >> 1n;
  return value;
});
const CRC64_LOW: Int32Array = Int32Array.from(CRC64, (value) => Number(BigInt.asIntN(32, value)));
const CRC64_HIGH: Int32Array = Int32Array.from(CRC64, (value) => Number(BigInt.asIntN(32, value >> 32n)));
