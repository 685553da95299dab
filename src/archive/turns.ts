// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from "node:timers/promises";
import { checkAborted } from "./aborted.ts";

const TURN_MS = 25;

/**
 * For long work that reads and writes at once: now and then others get a turn, signals among them. Without it an
 * interrupt is heard when all is done.
 */
export class Turns {
  readonly #doing: string;
  readonly #signal: AbortSignal | undefined;
  #last = Date.now();

  /** `doing` is said of work that was interrupted. */
  constructor(doing: string, signal: AbortSignal | undefined) {
    this.#doing = doing;
    this.#signal = signal;
  }

  /** To be called between any two steps. Throws the reason of an aborted signal when it is a `TareError`, else `E_ABORTED`. */
  async give(): Promise<void> {
    if (Date.now() - this.#last > TURN_MS) {
      await nextTurn();
      this.#last = Date.now();
    }
    checkAborted(this.#signal, this.#doing);
  }
}
