// SPDX-License-Identifier: Apache-2.0
import { plainText } from "../text/escape.ts";
import { amount } from "./frame.ts";
import { seconds } from "./state.ts";
import type { Change, Status, Step } from "./state.ts";

const STATUS_EVERY = 2000;

/** Lines for a pipe, as BuildKit's plain progress: every line begins with the number of its step. */
export class PlainText {
  /** Output to a terminal may not carry escape sequences. */
  readonly #strip: boolean;
  #last = 0;
  readonly #statusAt = new Map<string, number>();

  constructor(strip: boolean) {
    this.#strip = strip;
  }

  /** The text to print for a change; empty for most status events. */
  text(change: Change): string {
    const { step, event, lines } = change;
    if (!step || step.number === 0) return "";
    const printed = lines.map(
      ({ text, at }) => `${seconds(at - step.startedAt, 3)} ${this.#strip ? plainText(text) : text}`,
    );
    if (event.kind === "status") printed.push(...this.#status(step, event.name, event.at));
    printed.push(...endLines(step, event.kind));
    if (!change.isFirst && printed.length === 0) return "";
    return this.#heading(step, change.isFirst) + printed.map((line) => `#${step.number} ${line}\n`).join("");
  }

  /** The step's name when it begins, or when other steps' lines came between. */
  #heading(step: Step, isFirst: boolean): string {
    if (this.#last === step.number) return "";
    const blank = this.#last === 0 ? "" : "\n";
    this.#last = step.number;
    const label = plainText(step.label.replaceAll(/\s*\n\s*/g, " "));
    return isFirst || blank !== "" ? `${blank}#${step.number} ${label}\n` : "";
  }

  #status(step: Step, name: string, at: number): readonly string[] {
    const status = step.statuses.get(name);
    if (!status) return [];
    const key = `${step.id} ${name}`;
    const isDone = status.total > 0 && status.current >= status.total;
    const last = this.#statusAt.get(key);
    if (last === Infinity || (!isDone && last !== undefined && at - last < STATUS_EVERY)) return [];
    this.#statusAt.set(key, isDone ? Infinity : at);
    return [statusLine(name, status, isDone ? at : undefined)];
  }
}

function statusLine(name: string, status: Status, doneAt: number | undefined): string {
  const done = doneAt === undefined ? "" : ` ${seconds(doneAt - status.startedAt)}s done`;
  return `${plainText(name)}${amount(status)}${done}`;
}

function endLines(step: Step, kind: Change["event"]["kind"]): readonly string[] {
  switch (kind) {
    case "cached":
      return ["CACHED"];
    case "completed":
      return step.state === "cached" ? [] : [`DONE ${seconds(step.endedAt - step.startedAt)}s`];
    case "failed":
      return [`ERROR: ${plainText(step.message)}`];
    case "canceled":
      return ["CANCELED"];
    default:
      return [];
  }
}
