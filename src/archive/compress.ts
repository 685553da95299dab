// SPDX-License-Identifier: Apache-2.0
import type { Transform } from "node:stream";
import * as zlib from "node:zlib";
import type { ByteSink } from "../base/index.ts";
import { through } from "./transform.ts";

/** How data is compressed. Equal data and options give equal bytes (with the same zlib). */
export interface CompressOptions {
  readonly kind: "gzip" | "zstd";
  /** Default 6 for gzip, 3 for zstd. */
  readonly level?: number;
}

/** Compresses a stream; gzip's header holds no time, no name and no system. */
export async function* compress(
  source: AsyncIterable<Uint8Array>,
  options: CompressOptions,
): AsyncGenerator<Uint8Array> {
  let isFirst = options.kind === "gzip";
  for await (const chunk of through(newEncoder(options), source, options.kind)) {
    if (isFirst && chunk.length > 9) chunk[9] = 255;
    isFirst = false;
    yield chunk;
  }
}

/** Compresses a stream with gzip. */
export function compressGzip(source: AsyncIterable<Uint8Array>, level: number = 6): AsyncIterable<Uint8Array> {
  return compress(source, { kind: "gzip", level });
}

/** A sink that compresses what it is given into another sink; `finish` writes the rest. */
export class CompressSink implements ByteSink {
  readonly #queue: { readonly chunk: Uint8Array; readonly done: () => void }[] = [];
  #wake: () => void = () => undefined;
  #isEnded = false;
  readonly #finished: Promise<void>;
  #failure: { readonly error: unknown } | undefined;

  constructor(target: ByteSink, options: CompressOptions) {
    this.#finished = this.#run(target, options).catch((error: unknown) => {
      this.#failure = { error };
      for (const waiting of this.#queue.splice(0)) waiting.done();
    });
  }

  /** Resolves when the chunk was taken over. Rejects with the target's error. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#throwFailure();
    // The encoder reads its input on another thread after this resolves: it needs a copy of its own.
    const copy = Buffer.from(chunk);
    await new Promise<void>((done) => {
      this.#queue.push({ chunk: copy, done });
      this.#wake();
    });
    this.#throwFailure();
  }

  /** Resolves when everything was handed to the target. */
  async finish(): Promise<void> {
    this.#isEnded = true;
    this.#wake();
    await this.#finished;
    this.#throwFailure();
  }

  async #run(target: ByteSink, options: CompressOptions): Promise<void> {
    for await (const chunk of compress(this.#chunks(), options)) await target.write(chunk);
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        next.done();
        yield next.chunk;
      } else if (this.#isEnded) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

function newEncoder(options: CompressOptions): Transform {
  if (options.kind === "gzip") return zlib.createGzip({ level: options.level ?? 6, chunkSize: 1 << 18 });
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: options.level ?? 3 };
  return zlib.createZstdCompress({ chunkSize: 1 << 18, params });
}
