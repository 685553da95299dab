// SPDX-License-Identifier: Apache-2.0
/** Runs `make` once per key at the same time; later callers share the result. A failure is forgotten. */
export class Once<T> {
  readonly #running = new Map<string, Promise<T>>();

  run(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#running.get(key);
    if (known) return known;
    const started = make();
    this.#running.set(key, started);
    started.catch(() => this.#running.delete(key));
    return started;
  }
}

/** At most `limit` tasks at a time, in order of arrival. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
