// SPDX-License-Identifier: Apache-2.0
/* How far a file that is being written can be read, told from one thread to another. */
import * as fs from "node:fs";
import { Hasher, TareError, ioError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";

const PIECE = 1 << 18;
const LOOK_MS = 200;
/** Of the shared memory: bytes that are there, and whether no more will come. */
const [THERE, FAILED] = [0, 1] as const;

/** The writer's end. */
export class FileFrontier {
  readonly shared: SharedArrayBuffer = new SharedArrayBuffer(16);
  readonly #state = new BigInt64Array(this.shared);

  advance(to: number): void {
    if (Number(Atomics.load(this.#state, THERE)) >= to) return;
    Atomics.store(this.#state, THERE, BigInt(to));
    Atomics.notify(this.#state, THERE);
  }

  /** The rest won't come: the reader ends with an error. */
  fail(): void {
    Atomics.store(this.#state, FAILED, 1n);
    Atomics.notify(this.#state, THERE);
  }
}

/** A file that grows while it is read. */
export interface GrowingFile {
  readonly path: string;
  readonly size: number;
  /** Of its `FileFrontier`. */
  readonly shared: SharedArrayBuffer;
}

const MAGIC = 6;

/** The reader's end: reads up to the announced size, waiting for what is not there yet, and hashes on the way. */
export class FrontierReader {
  readonly #file: GrowingFile;
  readonly #state: BigInt64Array;
  readonly #hasher = new Hasher();
  #blocks = false;
  #at = 0;

  constructor(file: GrowingFile) {
    this.#file = file;
    this.#state = new BigInt64Array(file.shared);
  }

  /** From here on waiting stops the whole thread: for one that has nothing else to do. */
  block(): void {
    this.#blocks = true;
  }

  /** The first bytes, of which most are enough to tell how it is compressed; they are read again. */
  async magic(): Promise<Uint8Array> {
    const { path, size } = this.#file;
    const wanted = Math.min(MAGIC, size);
    if (wanted > 0) await this.#wait(wanted);
    const descriptor = openFile(path);
    try {
      const room = Buffer.alloc(wanted);
      return room.subarray(0, fs.readSync(descriptor, room, 0, wanted, 0));
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** From where the last reading ended. A piece is valid until the one after the next. Throws `E_ABORTED`, `E_IO`. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    const { path, size } = this.#file;
    const rooms = [Buffer.allocUnsafe(PIECE), Buffer.allocUnsafe(PIECE)] as const;
    const descriptor = openFile(path);
    try {
      for (let turn = 0; this.#at < size; turn = 1 - turn) {
        const there = await this.#wait(this.#at + 1);
        const room = turn === 0 ? rooms[0] : rooms[1];
        const count = fs.readSync(descriptor, room, 0, Math.min(PIECE, there - this.#at), this.#at);
        if (count === 0) throw new TareError("E_IO", `reading \`${path}\`: it ended too early`);
        const piece = room.subarray(0, count);
        this.#hasher.update(piece);
        this.#at += count;
        yield piece;
      }
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** The digest of the whole file; reads what was not read yet. */
  async digest(): Promise<Digest> {
    for await (const piece of this.pieces()) void piece;
    return this.#hasher.digest();
  }

  /** How far the file can be read: at least so far. */
  async #wait(least: number): Promise<number> {
    for (;;) {
      const there = Atomics.load(this.#state, THERE);
      if (Number(there) >= least) return Number(there);
      if (Atomics.load(this.#state, FAILED) !== 0n) {
        throw new TareError("E_ABORTED", `reading \`${this.#file.path}\`: its download ended`);
      }
      // The time limit is for a failure that is told between the two looks.
      if (this.#blocks) Atomics.wait(this.#state, THERE, there, LOOK_MS);
      else await Atomics.waitAsync(this.#state, THERE, there, LOOK_MS).value;
    }
  }
}

function openFile(path: string): number {
  try {
    return fs.openSync(path, "r");
  } catch (error) {
    throw ioError(`reading \`${path}\``, error);
  }
}
