// SPDX-License-Identifier: Apache-2.0
/*
 * Tare's own DEFLATE encoder: its output is a function of its input alone, whatever the machine and the pieces it comes
 * in, so that layers have the same digest everywhere. A WebAssembly module (`assembly/deflate.ts`) finds matches, and
 * writes the symbols by codes that are made here.
 *
 * Its input may have gaps: bytes that others wrote into the same stream. Before a gap stays one part to copy from, for
 * a tar header is like the one before it.
 */
import { WasmModule } from "../wasm.ts";
import { BlockWriter, DISTANCE_SYMBOL, LENGTH_SYMBOL } from "./block-writer.ts";
import type { BlobWriter } from "./blob-writer.ts";
import { DEFLATE_CODE } from "./code.ts";
import { WINDOW } from "./deflate-tables.ts";

/** As in `assembly/memory.ts`. */
const [ROOM, LITERAL_COUNTS, DISTANCE_COUNTS, LENGTHS, PLACES, LITERAL_CODES, DISTANCE_CODES, OUTPUT] = [
  0x70000, 0xc1000, 0xc1800, 0xc2000, 0xc2400, 0xc3000, 0xc3800, 0xc4000,
] as const;
const SIZE = 1 << 18;
const MODULE = new WasmModule(DEFLATE_CODE);
/** Their memory is nobody's garbage: a build makes hundreds of blobs. */
const idle: ReturnType<typeof newModule>[] = [];

/** Writes bytes as DEFLATE blocks. `write` gets at most 64 KiB at a time, so that little waits in the blob writer. */
export class Encoder {
  readonly #out: BlobWriter;
  readonly #module = idle.pop() ?? newModule();
  readonly #window = new Uint8Array(this.#module.memory, ROOM, SIZE);
  readonly #blocks: BlockWriter;
  /** Bytes in the window. */
  #filled = 0;

  constructor(out: BlobWriter) {
    this.#out = out;
    const { memory } = this.#module;
    this.#blocks = new BlockWriter({
      literalCounts: new Uint32Array(memory, LITERAL_COUNTS, 286),
      distanceCounts: new Uint32Array(memory, DISTANCE_COUNTS, 30),
      literalCodes: new Uint32Array(memory, LITERAL_CODES, 286),
      distanceCodes: new Uint32Array(memory, DISTANCE_CODES, 30),
      bits: new Uint8Array(memory, OUTPUT),
      ...this.#module,
    });
  }

  /** Adds bytes; those at the end wait for more or for `flush`. */
  write(data: Uint8Array): void {
    for (let from = 0; from < data.length;) {
      if (this.#filled === SIZE) this.#filled = this.#module.slide();
      const part = data.subarray(from, from + SIZE - this.#filled);
      this.#window.set(part, this.#filled);
      this.#filled += part.length;
      from += part.length;
      this.#encode(part.length, false);
    }
  }

  /** Writes what waits and ends the block; the last block of a stream is written even when it is empty. */
  flush(isLast: boolean): void {
    this.#encode(0, true);
    if (isLast || this.#module.symbolCount() > 0) this.#block(isLast);
  }

  /** After `flush`: others write `count` bytes of the stream. The module's numbers have 32 bits only. */
  skip(count: number): void {
    this.#filled = this.#module.skip(Math.min(count, WINDOW));
  }

  /** After `flush`: a new stream starts. */
  reset(): void {
    this.skip(WINDOW);
  }

  /** After the last `flush`: another encoder may have the module. */
  close(): void {
    this.reset();
    idle.push(this.#module);
  }

  #encode(added: number, isEnd: boolean): void {
    for (let count = added; this.#module.encode(count, isEnd ? 1 : 0) !== 0; count = 0) this.#block(false);
  }

  #block(isLast: boolean): void {
    const module = this.#module;
    const bytes = this.#window.subarray(module.blockFrom(), module.blockTo());
    this.#blocks.write(this.#out, { count: module.symbolCount(), bytes, isLast });
    module.startBlock();
  }
}

/** The module's memory and functions; places are in its window. */
function newModule() {
  const instance = MODULE.instance();
  new Uint8Array(instance.memory).set(LENGTH_SYMBOL, LENGTHS);
  new Uint8Array(instance.memory).set(DISTANCE_SYMBOL, PLACES);
  return {
    memory: instance.memory,
    symbolCount: instance.function("symbolCount"),
    blockFrom: instance.function("blockFrom"),
    blockTo: instance.function("blockTo"),
    startBlock: instance.function("startBlock"),
    slide: instance.function("slide"),
    skip: instance.function("skip"),
    encode: instance.function("encode"),
    writeSymbols: instance.function("write"),
    heldBits: instance.function("heldBits"),
    heldCount: instance.function("heldCount"),
  };
}
