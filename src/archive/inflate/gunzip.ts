// SPDX-License-Identifier: Apache-2.0
/*
 * gzip (RFC 1952) of any number of members, decoded in this thread and without garbage: 0.6 of the processor time that
 * Node's zlib takes with a thread of its own. Zeros after a member are padding and end the data.
 */
import * as zlib from "node:zlib";
import { compressionError } from "../transform.ts";
import { IS_DONE, WANTS_INPUT, giveDecoder, takeDecoder } from "./inflate.ts";
import type { Decoder } from "./inflate.ts";

const [FLAG_HEADER_CRC, FLAG_EXTRA, FLAG_NAME, FLAG_COMMENT, FLAGS_RESERVED] = [2, 4, 8, 16, 0xe0] as const;
const FIXED_HEADER = 10;
const LONGEST_HEADER = 1 << 20;
const TRAILER = 8;
/** Little at a time, because what is behind a member's end is fed again. */
const FEED = 1 << 15;

/**
 * Decodes gzip of `size` bytes. A piece is valid until the next one is asked for. Throws `E_COMPRESSION`, and what
 * `source` throws.
 */
export async function* gunzip(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  const members = new GunzipMembers();
  let read = 0;
  try {
    for await (const chunk of source) {
      read += chunk.length;
      yield* members.push(chunk, read === size);
    }
    members.end();
  } finally {
    members.close();
  }
}

type State = "header" | "body" | "trailer" | "between" | "padding";

/** Decodes gzip that comes piece by piece. Throws `E_COMPRESSION`. The caller closes it. */
export class GunzipMembers {
  readonly #decoder: Decoder = takeDecoder();
  #state: State = "header";
  /** The start of a header or trailer. */
  #held: Uint8Array = Buffer.alloc(0);
  #crc = 0;
  #size = 0;

  /** What a chunk decodes to; the last one may be empty. A piece is valid until the next one is asked for. */
  *push(chunk: Uint8Array, isLast: boolean): Generator<Uint8Array> {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = rest.subarray(0, 0);
    if (isLast && this.#state === "body") rest = yield* this.#body(rest, true);
    while (rest.length > 0) {
      const before = rest.length;
      if (this.#state === "padding") return;
      if (this.#state === "between") this.#state = rest[0] === 0 ? "padding" : "header";
      else if (this.#state === "header") rest = this.#header(rest);
      else if (this.#state === "trailer") rest = this.#trailer(rest);
      else rest = yield* this.#body(rest, isLast);
      if (rest.length === before && this.#held.length > 0) return;
    }
  }

  /** Throws when there should be more. */
  end(): void {
    if (this.#state !== "between" && this.#state !== "padding") throw damaged("it ends too early");
  }

  close(): void {
    giveDecoder(this.#decoder);
  }

  /** Keeps what is not whole yet; a chunk's memory is used again by its maker. */
  #hold(rest: Uint8Array): Uint8Array {
    if (rest.length > LONGEST_HEADER) throw damaged("a header is too long");
    this.#held = Uint8Array.from(rest);
    return rest;
  }

  #header(rest: Uint8Array): Uint8Array {
    const length = headerLength(rest);
    if (length === undefined) return this.#hold(rest);
    this.#state = "body";
    this.#crc = 0;
    this.#size = 0;
    this.#decoder.reset();
    return rest.subarray(length);
  }

  #trailer(rest: Uint8Array): Uint8Array {
    if (rest.length < TRAILER) return this.#hold(rest);
    const view = new DataView(rest.buffer, rest.byteOffset, TRAILER);
    if (view.getUint32(0, true) !== this.#crc) throw damaged("its content is not what its checksum says");
    if (view.getUint32(4, true) !== this.#size % 2 ** 32) throw damaged("it has another size than it says");
    this.#state = "between";
    return rest.subarray(TRAILER);
  }

  /** Returns what is behind the member's end, or nothing. */
  *#body(rest: Uint8Array, isLast: boolean): Generator<Uint8Array, Uint8Array> {
    const decoder = this.#decoder;
    // The decoder keeps some input back until it knows that it is the last.
    let isTold = false;
    for (let fed = 0; ;) {
      const answer = decoder.run();
      if (answer < 0) throw damaged("its compressed data is damaged");
      const size = decoder.outputSize();
      if (size > 0) yield this.#counted(decoder.memory.subarray(decoder.outputAt(), decoder.outputAt() + size));
      if (answer === IS_DONE) return this.#behind(rest, fed);
      if (answer !== WANTS_INPUT) continue;
      if (fed === rest.length && (!isLast || isTold)) return rest.subarray(fed);
      const place = decoder.inputAt();
      const count = Math.min(FEED, decoder.inputRoom(), rest.length - fed);
      decoder.memory.set(rest.subarray(fed, fed + count), place);
      fed += count;
      isTold = isLast && fed === rest.length;
      decoder.feed(count, isTold ? 1 : 0);
    }
  }

  #counted(piece: Uint8Array): Uint8Array {
    this.#crc = zlib.crc32(piece, this.#crc);
    this.#size += piece.length;
    return piece;
  }

  #behind(rest: Uint8Array, fed: number): Uint8Array {
    this.#state = "trailer";
    const end = this.#decoder.inputAt();
    const left = this.#decoder.inputLeft();
    if (left <= fed) return rest.subarray(fed - left);
    // Some of it came with the chunk before.
    return Buffer.concat([this.#decoder.memory.subarray(end - left, end), rest.subarray(fed)]);
  }
}

/** Undefined when there is more of it to come. */
function headerLength(data: Uint8Array): number | undefined {
  const magic = [0x1f, 0x8b, 8];
  if (magic.some((byte, at) => at < data.length && data[at] !== byte))
    throw damaged("there is something else after a member");
  if (data.length < FIXED_HEADER) return undefined;
  const flags = data[3] ?? 0;
  if ((flags & FLAGS_RESERVED) !== 0) throw damaged("a header has unknown flags");
  let at = FIXED_HEADER;
  if ((flags & FLAG_EXTRA) !== 0) {
    if (data.length < at + 2) return undefined;
    at += 2 + (data[at] ?? 0) + ((data[at + 1] ?? 0) << 8);
  }
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if ((flags & flag) === 0) continue;
    const zero = data.indexOf(0, at);
    if (zero < 0) return undefined;
    at = zero + 1;
  }
  if ((flags & FLAG_HEADER_CRC) === 0) return at <= data.length ? at : undefined;
  if (data.length < at + 2) return undefined;
  const crc = (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8);
  if ((zlib.crc32(data.subarray(0, at)) & 0xffff) !== crc) throw damaged("a header is not what its checksum says");
  return at + 2;
}

function damaged(why: string): ReturnType<typeof compressionError> {
  return compressionError("gzip", why);
}
