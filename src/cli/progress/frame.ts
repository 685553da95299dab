// SPDX-License-Identifier: Apache-2.0
import { humanSize } from "../text/human.ts";
import { plainText } from "../text/escape.ts";
import { style } from "../text/style.ts";
import { displayWidth, fit } from "../text/width.ts";
import { seconds } from "./state.ts";
import type { BuildState, Status, Step } from "./state.ts";

/** What a frame is drawn for. */
export interface FrameSize {
  readonly title: string;
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  /** The last frame: steps without their running output. */
  readonly isLast: boolean;
}

const TAIL = 6;

/** The lines of the live view; never more than fit the terminal. The last frame has all steps. */
export function frameLines(state: BuildState, size: FrameSize): readonly string[] {
  const groups = state.steps.map((step) => stepLines(step, size));
  const shown = size.isLast ? groups : newest(state.steps, groups, Math.max(1, size.rows - 2));
  return [header(state, size), ...shown.flat()];
}

function header(state: BuildState, size: FrameSize): string {
  const failed = state.failed.length > 0;
  const finished = size.isLast && state.finished === state.total ? " FINISHED" : "";
  const time = seconds(size.now - state.startedAt);
  const text = fit(`[+] ${size.title} ${time}s (${state.finished}/${state.total})${finished}`, size.columns - 1);
  return style(size.color, failed ? "red" : "bold", text);
}

/** Leaves out ended steps, oldest first, then the output of running ones, until the rest fits. */
function newest(
  steps: readonly Step[],
  groups: readonly (readonly string[])[],
  room: number,
): readonly (readonly string[])[] {
  let excess = groups.reduce((sum, lines) => sum + lines.length, 0) - room;
  const kept = groups.map((lines, index) => {
    if (excess <= 0 || steps[index]?.state === "running") return lines;
    excess -= lines.length;
    return [];
  });
  const fitting = kept.map((lines) => {
    const cut = Math.min(Math.max(0, excess), Math.max(0, lines.length - 1));
    excess -= cut;
    return cut > 0 ? [...lines.slice(0, 1), ...lines.slice(1 + cut)] : lines;
  });
  return excess > 0 ? [fitting.flat().slice(-room)] : fitting;
}

const MARKS: Readonly<Record<Step["state"], string>> = {
  waiting: "",
  running: "",
  cached: "CACHED ",
  done: "",
  failed: "ERROR ",
  canceled: "CANCELED ",
};
const COLORS = { cached: "blue", done: "blue", failed: "red", canceled: "yellow" } as const;

function stepLines(step: Step, size: FrameSize): readonly string[] {
  const time = step.state === "cached" ? 0 : (step.endedAt || size.now) - step.startedAt;
  const text = ` => ${MARKS[step.state]}${plainText(step.label.replaceAll(/\s*\n\s*/g, " "))}`;
  const first = spread(text, `${seconds(time)}s`, size.columns - 1);
  const look = step.state === "running" || step.state === "waiting" ? undefined : COLORS[step.state];
  const line = look ? style(size.color, look, first) : first;
  return step.state === "running" && !size.isLast ? [line, ...details(step, size)] : [line];
}

function details(step: Step, size: FrameSize): readonly string[] {
  const statuses = [...step.statuses].slice(-TAIL).map(([name, status]) => {
    const time = `${seconds(size.now - status.startedAt)}s`;
    return spread(` => => ${plainText(name)}${amount(status)}`, time, size.columns - 1);
  });
  const output = step.log.tail(TAIL).map((text) => fit(` => => # ${plainText(text)}`, size.columns - 1));
  return [...statuses, ...output].map((line) => style(size.color, "dim", line));
}

/** ` 1.2MB / 40MB`; totals below 1000 are counts of items as often as bytes and look the same. */
export function amount({ current, total }: Status): string {
  if (total > 0) return ` ${humanSize(current, 3)} / ${humanSize(total, 3)}`;
  return current > 0 ? ` ${humanSize(current, 3)}` : "";
}

/** Text on the left and a time on the right edge. */
function spread(text: string, right: string, columns: number): string {
  const left = fit(text, columns - right.length - 1);
  return `${left}${" ".repeat(Math.max(1, columns - displayWidth(left) - right.length))}${right}`;
}
