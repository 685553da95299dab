// SPDX-License-Identifier: Apache-2.0
/*
 * Hashing on another thread. A heavy wheel is one stream: one thread decodes it, and what it decodes goes through
 * shared memory to a second one that computes the diffID and compares contents with RECORD.
 *
 *   header (Int32)   written, read, state, result, failed, forth, back, lengths of the blocks ... | digest
 *   blocks           frames: kind (1 byte), size (4 bytes), then bytes
 *
 * Whatever one side changes it counts in `forth` or `back`, on which the other one sleeps: nothing is missed between a
 * look and the sleep. Both threads sleep where they have nothing to do; neither may be the program's main thread.
 */
import { createHash } from "node:crypto";
import { TareError, digestFromHex } from "../../base/index.ts";
import type { ContentObserver, TarHasher } from "../../archive/index.ts";
import type { Digest } from "../../base/index.ts";

const BLOCKS = 6;
const BLOCK = 1 << 18;
const FRAME = 5;
/** Places in the header. */
const WRITTEN = 0;
const READ = 1;
const STATE = 2;
const RESULT = 3;
const FAILED = 4;
const FORTH = 5;
const BACK = 6;
const LENGTHS = 8;
const DIGEST = 64;
const HEADER = 128;
/** States, and results. */
const OPEN = 0;
const ENDED = 1;
const STOPPED = 2;
const GOOD = 1;
const BAD = 2;
/** Bytes of the tar outside of contents, or in one; what RECORD says of the content that follows; its end. */
const BYTES = 0;
const START = 1;
const END = 2;

/** A content and the wheel it is from. */
export interface CheckedFile {
  readonly wheel: string;
  readonly name: string;
}

/** Memory for a lane: 1.5 MB. */
export function newLane(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER + BLOCKS * BLOCK);
}

/** Wakes both sides and makes them give up; of no effect after the end. */
export function stopLane(lane: SharedArrayBuffer): void {
  const header = new Int32Array(lane, 0, HEADER / 4);
  Atomics.compareExchange(header, STATE, OPEN, STOPPED);
  for (const place of [FORTH, BACK]) tell(header, place);
}

function tell(header: Int32Array, place: number): void {
  Atomics.add(header, place, 1);
  Atomics.notify(header, place);
}

/** The side that decodes. `digest` throws what `failed` makes of the first content that RECORD says otherwise of. */
export class LaneWriter implements TarHasher {
  readonly #header: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #files: CheckedFile[] = [];
  readonly #failed: (file: CheckedFile) => Error;
  #written = 0;
  #used = 0;

  constructor(lane: SharedArrayBuffer, failed: (file: CheckedFile) => Error) {
    this.#header = new Int32Array(lane, 0, HEADER / 4);
    this.#bytes = new Uint8Array(lane);
    this.#view = new DataView(lane);
    this.#failed = failed;
  }

  /** Compares the content that is hashed until its `end` with a line of RECORD (`sha256=…`). */
  observer(hash: string, file: CheckedFile): ContentObserver {
    this.#files.push(file);
    this.#frame(START, Buffer.from(hash, "latin1"));
    return { update: () => undefined, end: () => this.#frame(END, NOTHING) };
  }

  update(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;) {
      if (BLOCK - this.#used <= FRAME) this.#publish();
      const part = piece.subarray(at, at + BLOCK - this.#used - FRAME);
      this.#put(BYTES, part);
      at += part.length;
    }
  }

  digest(): Digest {
    this.#publish();
    Atomics.compareExchange(this.#header, STATE, OPEN, ENDED);
    tell(this.#header, FORTH);
    this.#sleepUntil(() => Atomics.load(this.#header, RESULT) !== 0);
    const failed = this.#files[Atomics.load(this.#header, FAILED)];
    if (Atomics.load(this.#header, RESULT) === BAD && failed) throw this.#failed(failed);
    return digestFromHex(Buffer.from(this.#bytes.slice(DIGEST, DIGEST + 32)).toString("hex"));
  }

  #frame(kind: number, bytes: Uint8Array): void {
    if (BLOCK - this.#used < FRAME + bytes.length) this.#publish();
    this.#put(kind, bytes);
  }

  #put(kind: number, bytes: Uint8Array): void {
    const place = placeOf(this.#written) + this.#used;
    this.#view.setUint8(place, kind);
    this.#view.setUint32(place + 1, bytes.length);
    this.#bytes.set(bytes, place + FRAME);
    this.#used += FRAME + bytes.length;
  }

  /** Hands a block over, and waits until the next one is free. */
  #publish(): void {
    const header = this.#header;
    Atomics.store(header, LENGTHS + (this.#written % BLOCKS), this.#used);
    this.#written += 1;
    this.#used = 0;
    Atomics.store(header, WRITTEN, this.#written);
    tell(header, FORTH);
    this.#sleepUntil(() => this.#written - Atomics.load(header, READ) < BLOCKS);
  }

  #sleepUntil(isReady: () => boolean): void {
    const header = this.#header;
    for (let seen = Atomics.load(header, BACK); !isReady(); seen = Atomics.load(header, BACK)) {
      if (Atomics.load(header, STATE) === STOPPED) throw laneStopped();
      Atomics.wait(header, BACK, seen);
    }
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);

function placeOf(block: number): number {
  return HEADER + (block % BLOCKS) * BLOCK;
}

/** The other side gave up: what it threw is the reason. */
function laneStopped(): TareError {
  return new TareError("E_ABORTED", "hashing a layer: interrupted", { exitCode: 130 });
}

/** The side that hashes: runs until the other one has ended, or one was stopped. */
export function readLane(lane: SharedArrayBuffer): void {
  const header = new Int32Array(lane, 0, HEADER / 4);
  const reader = new LaneReader(lane);
  for (let read = 0; ;) {
    const seen = Atomics.load(header, FORTH);
    const state = Atomics.load(header, STATE);
    if (state === STOPPED) return;
    // All blocks were written before the state said that there are no more.
    if (read === Atomics.load(header, WRITTEN)) {
      if (state === ENDED) break;
      Atomics.wait(header, FORTH, seen);
      continue;
    }
    reader.block(placeOf(read), Atomics.load(header, LENGTHS + (read % BLOCKS)));
    read += 1;
    Atomics.store(header, READ, read);
    tell(header, BACK);
  }
  Buffer.from(lane, DIGEST, 32).set(reader.digest());
  Atomics.store(header, FAILED, reader.failed ?? 0);
  Atomics.store(header, RESULT, reader.failed === undefined ? GOOD : BAD);
  tell(header, BACK);
}

class LaneReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #tar = createHash("sha256");
  #content: { readonly hash: ReturnType<typeof createHash>; readonly expected: string } | undefined;
  #files = 0;
  /** The first file that was not as expected. */
  failed: number | undefined;

  constructor(lane: SharedArrayBuffer) {
    this.#bytes = new Uint8Array(lane);
    this.#view = new DataView(lane);
  }

  block(place: number, length: number): void {
    for (let at = place; at < place + length;) {
      const size = this.#view.getUint32(at + 1);
      const bytes = this.#bytes.subarray(at + FRAME, at + FRAME + size);
      this.#frame(this.#view.getUint8(at), bytes);
      at += FRAME + size;
    }
  }

  #frame(kind: number, bytes: Uint8Array): void {
    if (kind === BYTES) {
      this.#tar.update(bytes);
      this.#content?.hash.update(bytes);
    } else if (kind === START) {
      const [algorithm = "", expected = ""] = Buffer.from(bytes).toString("latin1").split("=");
      this.#content = { hash: createHash(algorithm), expected };
    } else {
      const isRight = this.#content?.hash.digest("base64url") === this.#content?.expected;
      if (!isRight) this.failed ??= this.#files;
      this.#files += 1;
      this.#content = undefined;
    }
  }

  digest(): Buffer {
    return this.#tar.digest();
  }
}
