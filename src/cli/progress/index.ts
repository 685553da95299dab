// SPDX-License-Identifier: Apache-2.0
import { LiveView } from "./live.ts";
import { PlainText } from "./plain.ts";
import { rawJsonLine } from "./raw-json.ts";
import { failureText, warningsText } from "./report.ts";
import { BuildState } from "./state.ts";
import type { BuildListener } from "../../engine/index.ts";
import type { Output } from "../output.ts";
import type { Change } from "./state.ts";

/** How progress is shown: `auto` is `tty` on a terminal and `plain` elsewhere. */
export type ProgressMode = "auto" | "tty" | "plain" | "rawjson" | "quiet";

/** What a renderer is made for. */
export interface ProgressOptions {
  readonly mode: ProgressMode;
  /** `Building`. */
  readonly title: string;
  readonly output: Output;
  readonly now: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls `draw` again and again until the result is called; tests draw by hand. Default: ten times a second. */
  readonly repeat?: (draw: () => void) => () => void;
}

/** Shows events until `finish` or `fail` is called, one of them once. */
export interface Progress {
  readonly listener: BuildListener;
  /** The last frame and the warnings. */
  finish(): void;
  /** The last frame and the whole output of the steps that failed. */
  fail(): void;
}

const FRAME_EVERY = 100;

/** The renderer for a mode. */
export function createProgress(options: ProgressOptions): Progress {
  switch (resolveMode(options)) {
    case "tty":
      return liveProgress(options);
    case "plain": {
      const plain = new PlainText(options.output.isTerminal);
      return streamProgress(options, (change) => plain.text(change));
    }
    case "rawjson":
      return jsonProgress(options);
    case "quiet":
      return streamProgress(options, () => "");
  }
}

function resolveMode({ mode, output, env }: ProgressOptions): Exclude<ProgressMode, "auto"> {
  if (mode !== "auto") return mode;
  return output.isTerminal && env["TERM"] !== "dumb" ? "tty" : "plain";
}

function liveProgress(options: ProgressOptions): Progress {
  const { output } = options;
  const state = new BuildState(options.now());
  const view = new LiveView(state, options);
  const stop = (options.repeat ?? everyFrame)(() => view.draw());
  const end = (text: () => string): void => {
    stop();
    if (state.steps.length > 0) view.draw(true);
    output.write(text());
  };
  return {
    listener: (event) => void state.apply(event),
    finish: () => end(() => warningsText(state.warnings, output.color)),
    fail: () => end(() => failures(state, output)),
  };
}

function everyFrame(draw: () => void): () => void {
  const timer = setInterval(draw, FRAME_EVERY);
  return () => clearInterval(timer);
}

function streamProgress(options: ProgressOptions, text: (change: Change) => string): Progress {
  const { output, mode } = options;
  const state = new BuildState(options.now());
  return {
    listener: (event) => print(output, text(state.apply(event))),
    finish: () => print(output, mode === "quiet" ? "" : warningsText(state.warnings, output.color)),
    fail: () => print(output, failures(state, output)),
  };
}

function jsonProgress(options: ProgressOptions): Progress {
  const state = new BuildState(options.now());
  return {
    listener: (event) => options.output.write(rawJsonLine(state.apply(event))),
    finish: () => undefined,
    fail: () => undefined,
  };
}

function failures(state: BuildState, output: Output): string {
  return state.failed.map((step) => failureText(step, { color: output.color, strip: output.isTerminal })).join("");
}

function print(output: Output, text: string): void {
  if (text !== "") output.write(text);
}
