// SPDX-License-Identifier: Apache-2.0
/*
 * DEFLATE data to bytes in this thread, by a WebAssembly module that makes no garbage (see `assembly/inflate.ts`).
 * 0.7 MB for each stream that is read at the same time.
 */
import { WasmModule } from "../wasm.ts";
import { INFLATE_CODE } from "./code.ts";

/** Compressed bytes that can be read in order. */
export interface InflateInput {
  /** Bytes in all. */
  readonly length: number;
  /** Fills `target` with the bytes from `offset` on; never asked for more than there are. */
  read(target: Uint8Array, offset: number): void;
}

/** Data that is no DEFLATE stream, or only the start of one. */
export class InflateError extends Error {}

/** Where a stream's parts are. */
export interface InflateEnd {
  /** Bytes of the input that the stream is. */
  readonly length: number;
  /** The header of the last block, in bits from the start: its first bit says that it is the last. */
  readonly lastBlock: number;
  /** The bit after the last block. */
  readonly end: number;
}

/** The module's functions; addresses and sizes in bytes. */
export interface Decoder {
  readonly memory: Uint8Array;
  reset(): void;
  inputAt(): number;
  inputRoom(): number;
  feed(count: number, isLast: number): void;
  inputLeft(): number;
  outputAt(): number;
  outputSize(): number;
  lastBlockAt(): number;
  endAt(): number;
  run(): number;
}

export const WANTS_INPUT = 0;
export const IS_DONE = 2;

const MODULE = new WasmModule(INFLATE_CODE);
const idle: Decoder[] = [];

/**
 * Decodes a raw stream (RFC 1951). Yields pieces of at most 256 KiB, each in memory that is only valid until the next
 * one is asked for; returns where the stream ends. Throws `InflateError`.
 */
export function* inflated(input: InflateInput): Generator<Uint8Array, InflateEnd, undefined> {
  const decoder = takeDecoder();
  try {
    decoder.reset();
    for (let at = 0; ;) {
      const answer = decoder.run();
      if (answer < 0) throw new InflateError("its compressed data is damaged");
      const size = decoder.outputSize();
      if (size > 0) yield decoder.memory.subarray(decoder.outputAt(), decoder.outputAt() + size);
      if (answer === IS_DONE) {
        return { length: at - decoder.inputLeft(), lastBlock: decoder.lastBlockAt(), end: decoder.endAt() };
      }
      if (answer !== WANTS_INPUT) continue;
      if (at === input.length) throw new InflateError("its compressed data has no end");
      at += feed(decoder, input, at);
    }
  } finally {
    giveDecoder(decoder);
  }
}

/** A decoder for the caller alone, who gives it back. */
export function takeDecoder(): Decoder {
  return idle.pop() ?? newDecoder();
}

export function giveDecoder(decoder: Decoder): void {
  idle.push(decoder);
}

function feed(decoder: Decoder, input: InflateInput, at: number): number {
  const place = decoder.inputAt();
  const count = Math.min(decoder.inputRoom(), input.length - at);
  input.read(decoder.memory.subarray(place, place + count), at);
  decoder.feed(count, at + count === input.length ? 1 : 0);
  return count;
}

function newDecoder(): Decoder {
  const instance = MODULE.instance();
  return {
    memory: new Uint8Array(instance.memory),
    reset: instance.function("reset"),
    inputAt: instance.function("inputAt"),
    inputRoom: instance.function("inputRoom"),
    feed: instance.function("feed"),
    inputLeft: instance.function("inputLeft"),
    outputAt: instance.function("outputAt"),
    outputSize: instance.function("outputSize"),
    lastBlockAt: instance.function("lastBlockAt"),
    endAt: instance.function("endAt"),
    run: instance.function("run"),
  };
}
