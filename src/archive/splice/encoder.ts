// SPDX-License-Identifier: Apache-2.0
/*
 * Tare's own DEFLATE encoder: its output is a function of its input alone, whatever the machine and the pieces it comes
 * in, so that layers have the same digest everywhere. LZ77 with hash chains over four bytes, one step of lazy matching,
 * by a WebAssembly module (`assembly/deflate.ts`); blocks are made of its symbols here.
 *
 * Its input may have gaps: bytes that others wrote into the same stream. Before a gap stays one part to copy from, for
 * a tar header is like the one before it.
 */
import { BlockWriter, DISTANCE_SYMBOL, LENGTH_SYMBOL } from "./block-writer.ts";
import type { BlobWriter } from "./blob-writer.ts";
import { DEFLATE_CODE } from "./code.ts";
import { LONGEST_MATCH, WINDOW } from "./deflate-tables.ts";

/** As in the module's source, where the map of its memory is. */
const [ROOM, VALUES, DISTANCES, LITERAL_COUNTS, DISTANCE_COUNTS, LENGTHS, PLACES] = [
  0x50000, 0x91000, 0x99000, 0xa1000, 0xa1800, 0xa2000, 0xa2400,
] as const;
const SIZE = 1 << 18;
const BLOCK_SYMBOLS = 16384;
const SHORTEST = 4;
const LAZY = 32;
/** So that matches, and all lazy looks of one step, do not depend on the pieces of the input. */
const LOOKAHEAD: number = LONGEST_MATCH + LAZY + SHORTEST;

/** The module's functions; places are in its window. */
interface Matcher {
  readonly memory: ArrayBuffer;
  filled(): number;
  symbolCount(): number;
  blockFrom(): number;
  blockTo(): number;
  startBlock(): void;
  grow(count: number): void;
  slide(): void;
  skip(count: number): void;
  encode(beforeEnd: number): number;
}

declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

/** The compiled module. */
let code: object | undefined;

/** Writes bytes as DEFLATE blocks. `write` gets at most 64 KiB at a time, so that little waits in the blob writer. */
export class Encoder {
  readonly #out: BlobWriter;
  readonly #matcher: Matcher = newMatcher();
  readonly #window = new Uint8Array(this.#matcher.memory, ROOM, SIZE);
  readonly #blocks: BlockWriter;

  constructor(out: BlobWriter) {
    this.#out = out;
    const { memory } = this.#matcher;
    this.#blocks = new BlockWriter({
      values: new Uint16Array(memory, VALUES, BLOCK_SYMBOLS),
      distances: new Uint16Array(memory, DISTANCES, BLOCK_SYMBOLS),
      literalCounts: new Uint32Array(memory, LITERAL_COUNTS, 286),
      distanceCounts: new Uint32Array(memory, DISTANCE_COUNTS, 30),
    });
  }

  /** Adds bytes; those at the end wait for more or for `flush`. */
  write(data: Uint8Array): void {
    const matcher = this.#matcher;
    for (let from = 0; from < data.length;) {
      if (matcher.filled() === SIZE) matcher.slide();
      const filled = matcher.filled();
      const part = data.subarray(from, from + SIZE - filled);
      this.#window.set(part, filled);
      matcher.grow(part.length);
      from += part.length;
      this.#encode(LOOKAHEAD);
    }
  }

  /** Writes what waits and ends the block; the last block of a stream is written even when it is empty. */
  flush(isLast: boolean): void {
    this.#encode(0);
    if (isLast || this.#matcher.symbolCount() > 0) this.#block(isLast);
  }

  /** After `flush`: others write `count` bytes of the stream. */
  skip(count: number): void {
    this.#matcher.skip(Math.min(count, WINDOW));
  }

  /** After `flush`: a new stream starts. */
  reset(): void {
    this.skip(WINDOW);
  }

  #encode(beforeEnd: number): void {
    while (this.#matcher.encode(beforeEnd) !== 0) this.#block(false);
  }

  #block(isLast: boolean): void {
    const matcher = this.#matcher;
    const bytes = this.#window.subarray(matcher.blockFrom(), matcher.blockTo());
    this.#blocks.write(this.#out, { count: matcher.symbolCount(), bytes, isLast });
    matcher.startBlock();
  }
}

function newMatcher(): Matcher {
  code ??= new WebAssembly.Module(Buffer.from(DEFLATE_CODE, "base64"));
  const { exports } = new WebAssembly.Instance(code);
  const memory = memoryOf(exports.memory);
  new Uint8Array(memory).set(LENGTH_SYMBOL, LENGTHS);
  new Uint8Array(memory).set(DISTANCE_SYMBOL, PLACES);
  return {
    memory,
    filled: call(exports.filled),
    symbolCount: call(exports.symbolCount),
    blockFrom: call(exports.blockFrom),
    blockTo: call(exports.blockTo),
    startBlock: call(exports.startBlock),
    grow: call(exports.grow),
    slide: call(exports.slide),
    skip: call(exports.skip),
    encode: call(exports.encode),
  };
}

/** The module's memory never grows, so that views of it stay valid. */
function memoryOf(memory: unknown): ArrayBuffer {
  if (typeof memory === "object" && memory !== null && "buffer" in memory && memory.buffer instanceof ArrayBuffer) {
    return memory.buffer;
  }
  throw new Error("the module has no memory");
}

function call(value: unknown): (...numbers: readonly number[]) => number {
  if (typeof value === "function") return (...numbers) => Number(value(...numbers));
  throw new Error("the module lacks a function");
}
