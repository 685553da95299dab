// SPDX-License-Identifier: Apache-2.0
import { displayWidth } from "../text/width.ts";
import { frameLines } from "./frame.ts";
import type { BuildState } from "./state.ts";
import type { Output } from "../output.ts";

const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/** What the live view needs of the world. */
export interface LiveOptions {
  readonly title: string;
  readonly output: Output;
  readonly now: () => number;
}

/** Draws one block over itself; every frame is one write. */
export class LiveView {
  readonly #state: BuildState;
  readonly #options: LiveOptions;
  /** Widths of the lines on the screen, to know how many rows they take after a resize. */
  #widths: readonly number[] = [];

  constructor(state: BuildState, options: LiveOptions) {
    this.#state = state;
    this.#options = options;
  }

  draw(isLast: boolean = false): void {
    const { output, title, now } = this.#options;
    const size = output.size();
    const lines = frameLines(this.#state, { title, now: now(), ...size, color: output.color, isLast });
    const up = this.#rows(size.columns);
    const back = up > 0 ? `\u001b[${up}A\r` : "";
    output.write(
      `${HIDE_CURSOR}${back}${lines.map((line) => `${line}${CLEAR_LINE}\n`).join("")}${CLEAR_BELOW}${SHOW_CURSOR}`,
    );
    this.#widths = lines.map(visibleWidth);
  }

  #rows(columns: number): number {
    return this.#widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
  }
}

function visibleWidth(line: string): number {
  return displayWidth(line.replaceAll(/\u001b\[\d+m/g, ""));
}
