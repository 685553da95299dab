// SPDX-License-Identifier: Apache-2.0
import type { TarEntry, TarHeader, TarLimits } from "./tar-entry.ts";
import { TarParser } from "./tar-parser.ts";

type Event =
  | { readonly kind: "entry"; readonly header: TarHeader }
  | { readonly kind: "data"; readonly piece: Buffer; readonly position: number }
  | { readonly kind: "end" };

const ZEROS: Buffer = Buffer.alloc(1 << 16);

/**
 * Reads a tar archive entry by entry; content that is not read is skipped. The chunks of `source` must stay unchanged
 * until the next one is asked for. Throws `E_TAR_*`. For speed on many small files use `TarParser`.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>, limits: TarLimits = {}): AsyncGenerator<TarEntry> {
  const events = new Events(source, limits);
  try {
    for (;;) {
      const event = events.shift() ?? (await events.next());
      if (event === undefined) return;
      if (event.kind !== "entry") continue;
      const content = bodyOf(event.header.size, events);
      yield { ...event.header, body: () => content };
      // What was not read is skipped; a body kept for later is empty from here on.
      await content.return(undefined);
    }
  } finally {
    await events.close();
  }
}

async function* bodyOf(size: number, events: Events): AsyncGenerator<Uint8Array> {
  let position = 0;
  for (;;) {
    const event = events.shift() ?? (await events.next());
    if (event?.kind !== "data") break;
    yield* zeros(event.position - position);
    yield event.piece;
    position = event.position + event.piece.length;
  }
  yield* zeros(size - position);
}

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}

/** Turns the parser's calls into a queue that never holds more than one chunk of the source. */
class Events {
  readonly #queue: Event[] = [];
  #head = 0;
  readonly #parser: TarParser;
  readonly #source: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>, limits: TarLimits) {
    this.#source = source[Symbol.asyncIterator]();
    this.#parser = new TarParser(
      {
        entry: (header) => void this.#queue.push({ kind: "entry", header }),
        data: (piece, position) => void this.#queue.push({ kind: "data", piece, position }),
        end: () => void this.#queue.push({ kind: "end" }),
      },
      limits,
    );
  }

  shift(): Event | undefined {
    const event = this.#queue[this.#head];
    if (event === undefined) {
      this.#queue.length = 0;
      this.#head = 0;
    } else this.#head += 1;
    return event;
  }

  async next(): Promise<Event | undefined> {
    for (;;) {
      const event = this.shift();
      if (event !== undefined) return event;
      const chunk = await this.#source.next();
      if (chunk.done === true) {
        this.#parser.finish();
        return undefined;
      }
      this.#parser.push(chunk.value);
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
