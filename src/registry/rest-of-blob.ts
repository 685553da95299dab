// SPDX-License-Identifier: Apache-2.0
import { ByteRanges } from "../store/index.ts";
import type { BlobTarget } from "./types.ts";

/** What lacks of a target while one place after the other is asked for it. */
export class RestOfBlob {
  readonly #target: BlobTarget;
  readonly #written = new ByteRanges();

  constructor(target: BlobTarget) {
    this.#target = target;
    let at = 0;
    for (const { start, end } of target.missing) {
      this.#written.add(at, start);
      at = end;
    }
    this.#written.add(at, target.size);
  }

  /** The target with what lacks now. */
  target(): BlobTarget {
    const { digest, size, write } = this.#target;
    return {
      digest,
      size,
      missing: this.#written.missing(size),
      write: (at, chunk) => {
        write(at, chunk);
        this.#written.add(at, at + chunk.length);
      },
    };
  }
}
