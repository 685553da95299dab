// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { ByteSink } from "../base/index.ts";

/**
 * Turns a writer's pushes into pulls: the writer waits until a chunk was taken, so nothing piles up. The writer's error
 * reaches the reader; a reader that stops early ends the writer.
 */
export async function* handOver(write: (sink: ByteSink) => Promise<void>): AsyncGenerator<Uint8Array> {
  const queue = new HandOver();
  const writing = write(queue).then(
    () => queue.end(),
    (error: unknown) => queue.fail(error),
  );
  try {
    yield* queue;
    await writing;
  } finally {
    queue.cancel();
  }
}

/** A sink that hands each chunk to one reader and waits until the reader asks for the next. */
class HandOver implements ByteSink {
  #chunk: Uint8Array | undefined;
  #taken: (() => void) | undefined;
  #arrived: (() => void) | undefined;
  #state: "open" | "ended" | "cancelled" = "open";
  #failure: { readonly error: unknown } | undefined;

  write(chunk: Uint8Array): Promise<void> {
    if (this.#state === "cancelled") throw new TareError("E_ABORTED", "packing a layer: nobody reads it");
    this.#chunk = chunk;
    const taken = new Promise<void>((resolve) => (this.#taken = resolve));
    this.#arrived?.();
    return taken;
  }

  end(): void {
    this.#state = "ended";
    this.#arrived?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.end();
  }

  cancel(): void {
    if (this.#state === "open") this.#state = "cancelled";
    this.#taken?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#chunk === undefined && this.#state === "open") {
        await new Promise<void>((resolve) => (this.#arrived = resolve));
      }
      const chunk = this.#chunk;
      if (chunk === undefined) break;
      yield chunk;
      this.#chunk = undefined;
      this.#taken?.();
    }
    if (this.#failure) throw this.#failure.error;
  }
}
