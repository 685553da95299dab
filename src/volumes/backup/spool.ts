// SPDX-License-Identifier: Apache-2.0
/* Lines in a file, so that a list of millions takes no memory. */
import * as fs from "node:fs";
import { Hasher, fileChunks, writeAll } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { damaged } from "./format.ts";

const FULL = 1 << 16;
const LONGEST = 1 << 20;

/** Takes lines, then gives them back. */
export class Spool {
  readonly path: string;
  readonly #descriptor: number;
  readonly #hasher: Hasher = new Hasher();
  #waiting: Buffer[] = [];
  #waitingSize = 0;
  #size = 0;

  /** Makes the file. */
  constructor(path: string) {
    this.path = path;
    this.#descriptor = fs.openSync(path, "wx", 0o600);
  }

  /** Bytes in all. */
  get size(): number {
    return this.#size;
  }

  line(text: string): void {
    this.bytes(Buffer.from(`${text}\n`));
  }

  /** Takes a piece of lines as it is. */
  bytes(piece: Uint8Array): void {
    this.#waiting.push(Buffer.from(piece));
    this.#waitingSize += piece.length;
    this.#size += piece.length;
    if (this.#waitingSize >= FULL) this.#flush();
  }

  /** No more lines come. The digest of all. */
  end(): Digest {
    this.#flush();
    fs.closeSync(this.#descriptor);
    return this.#hasher.digest();
  }

  #flush(): void {
    const chunk = Buffer.concat(this.#waiting);
    [this.#waiting, this.#waitingSize] = [[], 0];
    this.#hasher.update(chunk);
    writeAll(this.#descriptor, chunk);
  }
}

/** The lines of a file. Throws `E_VOLUME_BACKUP` for one that is too long. */
export async function* linesOf(path: string): AsyncGenerator<string, void, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of fileChunks(path)) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : Buffer.from(chunk);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield bytes.toString("utf8", start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > LONGEST) throw damaged("a line is too long");
  }
  if (rest.length > 0) yield rest.toString("utf8");
}

/** Items of a sorted file, one ahead. */
export class Sorted<T> {
  readonly #items: AsyncIterator<T>;
  #next: T | undefined;

  private constructor(items: AsyncIterator<T>) {
    this.#items = items;
  }

  static async open<T>(items: AsyncIterable<T>): Promise<Sorted<T>> {
    const sorted = new Sorted<T>(items[Symbol.asyncIterator]());
    await sorted.advance();
    return sorted;
  }

  /** The next item; undefined at the end. */
  get next(): T | undefined {
    return this.#next;
  }

  async advance(): Promise<void> {
    const step = await this.#items.next();
    this.#next = step.done === true ? undefined : step.value;
  }

  /** Leaves the rest unread. */
  async close(): Promise<void> {
    await this.#items.return?.();
  }
}
