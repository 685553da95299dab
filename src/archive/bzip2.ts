// SPDX-License-Identifier: Apache-2.0
/*
 * A bzip2 decoder, a block at a time: Huffman codes → move-to-front and run lengths → inverse Burrows-Wheeler →
 * run lengths. A compressed block is never longer than about 1.2 times its 900,000 bytes, so that much is buffered
 * and a block is decoded without waiting.
 */
import { ByteReader } from "./byte-reader.ts";
import { compressionError } from "./transform.ts";

const ENOUGH = 1_300_000;
const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;

/** Decodes a bzip2 stream of any number of members. Throws `E_COMPRESSION`. */
export async function* decodeBzip2(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new ByteReader(source, "bzip2");
  try {
    while (await reader.fill(1)) yield* member(reader);
  } finally {
    await reader.close();
  }
}

async function* member(reader: ByteReader): AsyncGenerator<Uint8Array> {
  const header = await reader.peek(4);
  const level = (header[3] ?? 0) - 48;
  if (header.toString("latin1", 0, 3) !== "BZh" || level < 1 || level > 9) throw failed("the header is wrong");
  reader.skip(4);
  const bits = new BitReader();
  let combined = 0;
  for (;;) {
    await reader.fill(ENOUGH);
    bits.reset(reader.buffered);
    const magic = bits.read(24) * 0x1000000 + bits.read(24);
    const checksum = bits.read(16) * 0x10000 + bits.read(16);
    if (magic === END_MAGIC) {
      if (checksum !== combined >>> 0) throw failed("the checksum is wrong");
      bits.align();
      reader.skip(bits.consumed());
      return;
    }
    if (magic !== BLOCK_MAGIC) throw failed("a block's header is wrong");
    const data = decodeBlock(bits, level * 100_000);
    if (crc32(data) !== checksum >>> 0) throw failed("a block's checksum is wrong");
    combined = ((combined << 1) | (combined >>> 31)) ^ checksum;
    reader.skip(bits.consumed());
    yield data;
  }
}

function failed(why: string): Error {
  return compressionError("bzip2", why);
}

/** Bits, most significant first. A block need not end at a byte: the place in the byte carries on. */
class BitReader {
  #data: Buffer = Buffer.alloc(0);
  /** Next byte to load, and the loaded bits that are not used yet (in the lowest `#count` bits). */
  #at = 0;
  #bits = 0;
  #count = 0;
  #offset = 0;

  /** Goes on in a buffer whose first byte is the one that `consumed` stopped in. */
  reset(data: Buffer): void {
    this.#data = data;
    [this.#at, this.#bits, this.#count] = [0, 0, 0];
    if (this.#offset > 0) this.read(this.#offset);
    this.#offset = 0;
  }

  /** Whole bytes used up; reading goes on inside the next one after `reset`. */
  consumed(): number {
    const used = this.#at * 8 - this.#count;
    this.#offset = used % 8;
    return (used - this.#offset) / 8;
  }

  align(): void {
    this.#count -= this.#count % 8;
  }

  read(count: number): number {
    while (this.#count < count) {
      if (this.#at >= this.#data.length) throw failed("it ends too early");
      this.#bits = ((this.#bits << 8) | (this.#data[this.#at] ?? 0)) & 0x7fffffff;
      this.#at += 1;
      this.#count += 8;
    }
    this.#count -= count;
    return (this.#bits >> this.#count) & ((1 << count) - 1);
  }

  bit(): number {
    return this.read(1);
  }
}

/** A canonical Huffman table: per length the first code's offset and the largest code. */
interface Table {
  readonly limit: Int32Array;
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
  readonly shortest: number;
}

function decodeBlock(bits: BitReader, capacity: number): Buffer {
  if (bits.read(1) === 1) throw failed("it is of an old, randomised kind");
  const origin = bits.read(24);
  const used = readUsed(bits);
  const tableCount = bits.read(3);
  const selectors = readSelectors(bits, tableCount);
  const tables = Array.from({ length: tableCount }, () => readTable(bits, used.length + 2));
  const counts = new Int32Array(256);
  const words = new Uint32Array(capacity);
  const length = readSymbols(bits, { used, selectors, tables, counts, words });
  if (origin >= length) throw failed("a block's origin is wrong");
  return expandRuns(transform(words, counts, length), origin, length);
}

function readUsed(bits: BitReader): number[] {
  const ranges = bits.read(16);
  const used: number[] = [];
  for (let range = 0; range < 16; range += 1) {
    if ((ranges & (0x8000 >> range)) === 0) continue;
    const members = bits.read(16);
    for (let member = 0; member < 16; member += 1) if (members & (0x8000 >> member)) used.push(range * 16 + member);
  }
  if (used.length === 0) throw failed("a block uses no bytes");
  return used;
}

function readSelectors(bits: BitReader, tableCount: number): Uint8Array {
  if (tableCount < 2 || tableCount > 6) throw failed("a block's table count is wrong");
  const count = bits.read(15);
  if (count === 0) throw failed("a block has no selectors");
  const order = [0, 1, 2, 3, 4, 5];
  const selectors = new Uint8Array(count);
  for (let index = 0; index < count; index += 1) {
    let place = 0;
    while (bits.bit() === 1) if (++place >= tableCount) throw failed("a selector is wrong");
    const [table = 0] = order.splice(place, 1);
    order.unshift(table);
    selectors[index] = table;
  }
  return selectors;
}

function readTable(bits: BitReader, symbolCount: number): Table {
  const lengths = new Uint8Array(symbolCount);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbolCount; symbol += 1) {
    for (;;) {
      if (length < 1 || length > 20) throw failed("a code length is wrong");
      if (bits.bit() === 0) break;
      length += bits.bit() === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return buildTable(lengths);
}

function buildTable(lengths: Uint8Array): Table {
  const [limit, base] = [new Int32Array(22).fill(-1), new Int32Array(22)];
  const symbols = new Uint16Array(lengths.length);
  let [code, filled, shortest] = [0, 0, 21];
  for (let length = 1; length <= 20; length += 1) {
    base[length] = filled - code;
    for (let symbol = 0; symbol < lengths.length; symbol += 1) {
      if (lengths[symbol] !== length) continue;
      symbols[filled] = symbol;
      filled += 1;
      code += 1;
      shortest = Math.min(shortest, length);
    }
    limit[length] = code - 1;
    code <<= 1;
  }
  return { limit, base, symbols, shortest };
}

interface SymbolState {
  readonly used: readonly number[];
  readonly selectors: Uint8Array;
  readonly tables: readonly Table[];
  readonly counts: Int32Array;
  readonly words: Uint32Array;
}

/** Fills `words` with the block's bytes before the inverse transform and counts them; returns their number. */
function readSymbols(bits: BitReader, state: SymbolState): number {
  const { used, counts, words } = state;
  const order = Uint8Array.from(used);
  const endSymbol = used.length + 1;
  let [length, run, weight, group, left] = [0, 0, 1, -1, 0];
  let table: Table | undefined;
  for (;;) {
    if (left === 0) {
      group += 1;
      left = 50;
      table = state.tables[state.selectors[group] ?? -1];
    }
    left -= 1;
    if (table === undefined) throw failed("a block has too few selectors");
    const symbol = readSymbol(bits, table);
    if (symbol <= 1) {
      run += weight << symbol;
      weight *= 2;
      if (run > words.length) throw failed("a block is too long");
      continue;
    }
    if (run > 0) {
      length = append(words, counts, order[0] ?? 0, length, run);
      [run, weight] = [0, 1];
    }
    if (symbol === endSymbol) return length;
    const place = symbol - 1;
    const byte = order[place] ?? 0;
    order.copyWithin(1, 0, place);
    order[0] = byte;
    length = append(words, counts, byte, length, 1);
  }
}

function readSymbol(bits: BitReader, table: Table): number {
  let length = table.shortest;
  let code = bits.read(length);
  while (code > (table.limit[length] ?? -1)) {
    length += 1;
    if (length > 20) throw failed("a code is wrong");
    code = (code << 1) | bits.bit();
  }
  return table.symbols[code + (table.base[length] ?? 0)] ?? 0;
}

function append(words: Uint32Array, counts: Int32Array, byte: number, length: number, run: number): number {
  if (length + run > words.length) throw failed("a block is too long");
  words.fill(byte, length, length + run);
  counts[byte] = (counts[byte] ?? 0) + run;
  return length + run;
}

/** The inverse Burrows-Wheeler transform's chain: the upper 24 bits of each word point to the next byte. */
function transform(words: Uint32Array, counts: Int32Array, length: number): Uint32Array {
  let sum = 0;
  const starts = counts.map((count) => (sum += count) - count);
  for (let index = 0; index < length; index += 1) {
    const byte = (words[index] ?? 0) & 0xff;
    const place = starts[byte] ?? 0;
    starts[byte] = place + 1;
    words[place] = ((words[place] ?? 0) & 0xff) | (index << 8);
  }
  return words;
}

/** Follows the chain; four equal bytes are followed by a count of more. */
function expandRuns(chain: Uint32Array, origin: number, length: number): Buffer {
  let output = Buffer.allocUnsafe(length * 2 + 1024);
  let word = chain[(chain[origin] ?? 0) >>> 8] ?? 0;
  let [size, previous, equal] = [0, -1, 0];
  for (let index = 0; index < length; index += 1) {
    const byte = word & 0xff;
    word = chain[word >>> 8] ?? 0;
    if (size + 256 > output.length) output = Buffer.concat([output], output.length * 2);
    if (equal === 4) {
      output.fill(previous, size, size + byte);
      size += byte;
      [equal, previous] = [0, -1];
      continue;
    }
    equal = byte === previous ? equal + 1 : 1;
    previous = byte;
    output[size] = byte;
    size += 1;
  }
  return output.subarray(0, size);
}

const CRC_TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value;
});

/** bzip2's checksum runs over bits most significant first, unlike zlib's. */
function crc32(data: Uint8Array): number {
  let value = -1;
  for (let at = 0; at < data.length; at += 1) {
    value = (value << 8) ^ (CRC_TABLE[((value >>> 24) ^ (data[at] ?? 0)) & 0xff] ?? 0);
  }
  return ~value >>> 0;
}
