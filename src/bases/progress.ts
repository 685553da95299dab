// SPDX-License-Identifier: Apache-2.0
import { digestOf, messageOf } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { BuildListener } from "../solver/index.ts";

/** Receives what a program prints. */
export type OutputListener = (stream: 1 | 2, data: Buffer) => void;

/** Tells a build listener about steps that follow one another, so that bases are drawn as builds are. */
export class Progress {
  readonly #listener: BuildListener | undefined;
  #last: readonly Digest[] = [];
  #count = 0;

  constructor(listener: BuildListener | undefined) {
    this.#listener = listener;
  }

  /** Runs a task as one step. */
  async step<T>(label: string, task: (onOutput: OutputListener) => Promise<T>): Promise<T> {
    this.#count += 1;
    const id = digestOf(`base ${this.#count} ${label}`);
    const tell = this.#listener ?? (() => undefined);
    tell({ kind: "vertex", id, label, inputs: this.#last, at: Date.now() });
    this.#last = [id];
    tell({ kind: "started", id, at: Date.now() });
    try {
      const result = await task((stream, data) => tell({ kind: "log", id, stream, data, at: Date.now() }));
      tell({ kind: "completed", id, at: Date.now() });
      return result;
    } catch (error) {
      tell({ kind: "failed", id, message: messageOf(error), at: Date.now() });
      throw error;
    }
  }
}
