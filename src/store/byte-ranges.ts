// SPDX-License-Identifier: Apache-2.0
import type { ByteRange } from "./types.ts";

/** Which bytes of a whole are there: ranges in order that neither touch nor overlap. */
export class ByteRanges {
  #ranges: readonly ByteRange[] = [];

  /** Bytes from the first on without a hole. */
  get frontier(): number {
    const [first] = this.#ranges;
    return first?.start === 0 ? first.end : 0;
  }

  get total(): number {
    return this.#ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  add(start: number, end: number): void {
    if (end <= start) return;
    const before = this.#ranges.filter((range) => range.end < start);
    const after = this.#ranges.filter((range) => range.start > end);
    const joined = this.#ranges.slice(before.length, this.#ranges.length - after.length);
    const merged = {
      start: Math.min(start, joined[0]?.start ?? start),
      end: Math.max(end, joined.at(-1)?.end ?? end),
    };
    this.#ranges = [...before, merged, ...after];
  }

  clear(): void {
    this.#ranges = [];
  }

  /** What lacks of the first `size` bytes. */
  missing(size: number): readonly ByteRange[] {
    const gaps: ByteRange[] = [];
    let at = 0;
    for (const { start, end } of this.#ranges) {
      if (start >= size) break;
      if (start > at) gaps.push({ start: at, end: start });
      at = end;
    }
    if (at < size) gaps.push({ start: at, end: size });
    return gaps;
  }
}
