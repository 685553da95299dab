// SPDX-License-Identifier: Apache-2.0

/** `ctrl-p,ctrl-q`. */
export const DEFAULT_DETACH_KEYS: readonly number[] = [16, 17];

/**
 * Looks for the detach keys in what is typed. Keys that may be the beginning of them are held back until the next one
 * decides, as Docker does.
 */
export class DetachKeys {
  readonly #keys: Buffer;
  #held = 0;

  constructor(keys: readonly number[]) {
    this.#keys = Buffer.from(keys);
  }

  /** What goes to the program, and whether the keys have been typed; what comes after them is dropped. */
  feed(data: Uint8Array): { readonly data: Buffer; readonly isDetached: boolean } {
    const passed: number[] = [];
    for (const byte of data) {
      if (this.#keys.length > 0 && byte === this.#keys[this.#held]) {
        this.#held += 1;
        if (this.#held === this.#keys.length) return { data: Buffer.from(passed), isDetached: true };
        continue;
      }
      passed.push(...this.#keys.subarray(0, this.#held));
      this.#held = this.#keys[0] === byte && this.#held > 0 ? 1 : 0;
      if (this.#held === 0) passed.push(byte);
    }
    return { data: Buffer.from(passed), isDetached: false };
  }
}
