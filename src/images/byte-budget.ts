// SPDX-License-Identifier: Apache-2.0
/** Lets work go on at the same time as long as its sizes add up to a limit; what is larger goes alone. */
export class ByteBudget {
  readonly #limit: number;
  readonly #waiting: { readonly size: number; readonly start: () => void }[] = [];
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** In order of arrival. */
  async run<T>(size: number, task: () => Promise<T>): Promise<T> {
    await new Promise<void>((start) => {
      this.#waiting.push({ size, start });
      this.#next();
    });
    try {
      return await task();
    } finally {
      this.#used -= size;
      this.#next();
    }
  }

  #next(): void {
    for (let [first] = this.#waiting; first; [first] = this.#waiting) {
      if (this.#used > 0 && this.#used + first.size > this.#limit) return;
      this.#waiting.shift();
      this.#used += first.size;
      first.start();
    }
  }
}
