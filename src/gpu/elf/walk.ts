// SPDX-License-Identifier: Apache-2.0
/*
 * One reader for files that can be read anywhere and for such that only pass by (members of a wheel, inflated). A walk
 * is a generator that asks for bytes at ascending places; who drives it reads them there, or waits until they come. So
 * memory stays at one piece and what a walk asks for, whatever the size.
 */

/** What a walk asks for. */
export type Want =
  /** Bytes at a place, never before the last one. Fewer come only at the end. */
  | { readonly kind: "bytes"; readonly at: number; readonly length: number }
  /** The next place from there on where one of these stands. */
  | { readonly kind: "mark"; readonly from: number; readonly marks: readonly Mark[] };

/** Bytes that begin something. */
export interface Mark {
  readonly bytes: Buffer;
  /** It counts at multiples of this only. */
  readonly alignment: number;
}

/** What it gets. The bytes are valid until it asks again. */
export interface Answer {
  readonly at: number;
  readonly bytes: Buffer;
}

/** Undefined for a mark that does not come. */
export type Walk<T> = Generator<Want, T, Answer | undefined>;

/** Most bytes of one `Want`. */
const LARGEST_WANT: number = 256 << 10;

/** Asks for bytes. */
export function* bytesAt(at: number, length: number): Walk<Buffer> {
  const answer = yield { kind: "bytes", at, length: Math.min(length, LARGEST_WANT) };
  return answer?.bytes ?? Buffer.alloc(0);
}

/** A file of which any part can be read. */
export interface ByteSource {
  readonly size: number;
  /** Fewer bytes than asked for at the end. */
  read(at: number, length: number): Buffer;
}

/** A source by how a part of it is read, that is never asked for what is not there, whatever a hostile file says. */
export function sourceOf(size: number, read: (at: number, length: number) => Buffer): ByteSource {
  return {
    size,
    read: (at, length) => (at >= 0 && at < size ? read(at, Math.max(0, Math.min(length, size - at))) : Buffer.alloc(0)),
  };
}

const WINDOW = 4096;
const SEARCHED = 256 << 10;

/** Drives a walk over a source; it sees nothing from `end` on. */
export function walkSource<T>(source: ByteSource, walk: Walk<T>, end: number = source.size): T {
  let window: Answer = { at: 0, bytes: Buffer.alloc(0) };
  const bytes = (at: number, length: number): Buffer => {
    const wanted = Math.max(0, Math.min(length, end - at));
    const start = at - window.at;
    if (start < 0 || start + wanted > window.bytes.length) {
      window = { at, bytes: source.read(at, Math.max(wanted, Math.min(WINDOW, end - at))) };
    }
    return window.bytes.subarray(at - window.at, at - window.at + wanted);
  };
  let step = walk.next();
  while (step.done !== true) {
    const want = step.value;
    if (want.kind === "bytes") step = walk.next({ at: want.at, bytes: bytes(want.at, want.length) });
    else step = walk.next(search(source, want, end));
  }
  return step.value;
}

function search(source: ByteSource, { from, marks }: Extract<Want, { kind: "mark" }>, end: number): Answer | undefined {
  const overlap = longest(marks) - 1;
  for (let at = from; at < end; at += SEARCHED) {
    const piece = source.read(at, Math.min(SEARCHED + overlap, end - at));
    const found = findMark({ at, bytes: piece }, marks, from);
    if (found !== undefined) return found;
  }
  return undefined;
}

function longest(marks: readonly Mark[]): number {
  return Math.max(...marks.map(({ bytes }) => bytes.length));
}

/** The first mark in a piece, at `from` or later. */
function findMark({ at, bytes }: Answer, marks: readonly Mark[], from: number): Answer | undefined {
  let best: Answer | undefined;
  for (const mark of marks) {
    let place = bytes.indexOf(mark.bytes, Math.max(0, from - at));
    while (place >= 0 && (at + place) % mark.alignment !== 0) place = bytes.indexOf(mark.bytes, place + 1);
    if (place >= 0 && (best === undefined || at + place < best.at)) best = { at: at + place, bytes: mark.bytes };
  }
  return best;
}

/** Drives a walk over bytes that come in their order. */
export class StreamWalk<T> {
  readonly #walk: Walk<T>;
  #step: IteratorResult<Want, T>;
  #held: Answer = { at: 0, bytes: Buffer.alloc(0) };

  constructor(walk: Walk<T>) {
    this.#walk = walk;
    this.#step = walk.next();
  }

  /** The next bytes; they are not needed after the call. */
  write(piece: Uint8Array): void {
    if (this.#step.done === true) return;
    this.#held = this.#joined(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
    this.#advance(false);
    this.#drop();
  }

  /** What is held and a piece. Where no mark begins in what is held, the piece alone: copying all would be garbage. */
  #joined(piece: Buffer): Answer {
    const { at, bytes } = this.#held;
    if (bytes.length > 0 && this.#step.done !== true && this.#step.value.kind === "mark") {
      const { marks, from } = this.#step.value;
      const seam = Buffer.concat([bytes, piece.subarray(0, longest(marks) - 1)]);
      const isWhole = piece.length >= longest(marks) - 1;
      if (isWhole && findMark({ at, bytes: seam }, marks, from) === undefined)
        return { at: at + bytes.length, bytes: piece };
    }
    return { at, bytes: bytes.length === 0 ? piece : Buffer.concat([bytes, piece]) };
  }

  /** There is no more. */
  end(): T {
    this.#advance(true);
    if (this.#step.done !== true) throw new Error("a walk ends when all its questions are answered");
    return this.#step.value;
  }

  #advance(isEnd: boolean): void {
    for (;;) {
      if (this.#step.done === true) return;
      const want = this.#step.value;
      if (want.kind === "bytes") {
        const start = Math.max(0, want.at - this.#held.at);
        const bytes = this.#held.bytes.subarray(start, start + want.length);
        if (bytes.length < want.length && !isEnd) return;
        this.#step = this.#walk.next({ at: want.at, bytes });
      } else {
        const found = findMark(this.#held, want.marks, want.from);
        if (found === undefined && !isEnd) return;
        this.#step = this.#walk.next(found);
      }
    }
  }

  /** Keeps what the walk may still ask for: all from its place on, or what could be the start of a mark. */
  #drop(): void {
    const { at, bytes } = this.#held;
    const end = at + bytes.length;
    const keep = this.#step.done === true ? end : Math.min(end, this.#needed(this.#step.value, end));
    // A copy: the piece's memory is used again.
    this.#held = { at: keep, bytes: Buffer.from(bytes.subarray(keep - at)) };
  }

  #needed(want: Want, end: number): number {
    if (want.kind === "bytes") return want.at;
    return Math.max(want.from, end - longest(want.marks) + 1);
  }
}
