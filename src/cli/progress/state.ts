// SPDX-License-Identifier: Apache-2.0
import { LineLog } from "./lines.ts";
import type { BuildEvent } from "../../engine/index.ts";
import type { LogLine } from "./lines.ts";

/** How far a part of a step is. */
export interface Status {
  readonly current: number;
  readonly total: number;
  readonly startedAt: number;
}

/** What the renderers know of a step. */
export interface Step {
  readonly id: string;
  /** From 1, in the order of starting; 0 before. */
  readonly number: number;
  readonly label: string;
  readonly state: "waiting" | "running" | "cached" | "done" | "failed" | "canceled";
  readonly startedAt: number;
  readonly endedAt: number;
  readonly message: string;
  readonly log: LineLog;
  readonly statuses: ReadonlyMap<string, Status>;
}

/** A warning of the build. */
export type Warning = Extract<BuildEvent, { kind: "warning" }>;

/** What an event changed, for renderers that print as it goes. */
export interface Change {
  readonly event: BuildEvent;
  readonly step?: Step;
  /** The step was not seen before this event. */
  readonly isFirst: boolean;
  /** Output lines that are complete now. */
  readonly lines: readonly LogLine[];
}

/** Everything that happened so far. */
export class BuildState {
  readonly startedAt: number;
  readonly warnings: Warning[] = [];
  readonly #steps = new Map<string, Step>();
  #started = 0;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  get total(): number {
    return this.#steps.size;
  }

  get finished(): number {
    return this.#count((step) => step.state === "done" || step.state === "cached");
  }

  /** Steps that have begun, in their order. */
  get steps(): readonly Step[] {
    return [...this.#steps.values()].filter(({ number }) => number > 0).sort((a, b) => a.number - b.number);
  }

  get failed(): readonly Step[] {
    return this.steps.filter(({ state }) => state === "failed");
  }

  apply(event: BuildEvent): Change {
    if (event.kind === "warning") {
      this.warnings.push(event);
      return { event, isFirst: false, lines: [] };
    }
    const before = this.#steps.get(event.id) ?? emptyStep(event.id);
    const lines = linesOf(before, event);
    const step = this.#numbered({ ...before, ...changes(before, event) }, event);
    this.#steps.set(event.id, step);
    return { event, step, isFirst: before.number === 0 && step.number > 0, lines };
  }

  #numbered(step: Step, event: BuildEvent): Step {
    if (step.number > 0 || event.kind === "vertex") return step;
    this.#started += 1;
    return { ...step, number: this.#started, startedAt: step.startedAt || event.at };
  }

  #count(test: (step: Step) => boolean): number {
    return [...this.#steps.values()].filter(test).length;
  }
}

function emptyStep(id: string): Step {
  const times = { startedAt: 0, endedAt: 0 };
  return { id, number: 0, label: id, state: "waiting", ...times, message: "", log: new LineLog(), statuses: new Map() };
}

function linesOf(step: Step, event: BuildEvent): readonly LogLine[] {
  if (event.kind === "log") return step.log.push(event.stream, event.data, event.at);
  const ends = event.kind === "completed" || event.kind === "failed" || event.kind === "canceled";
  return ends ? step.log.flush(event.at) : [];
}

function changes(step: Step, event: Exclude<BuildEvent, { kind: "warning" }>): Partial<Step> {
  switch (event.kind) {
    case "vertex":
      return { label: event.label };
    case "started":
      return { state: "running", startedAt: event.at };
    case "cached":
      return { state: "cached", endedAt: event.at };
    case "log":
      return {};
    case "status": {
      const startedAt = step.statuses.get(event.name)?.startedAt ?? event.at;
      const status = { current: event.current, total: event.total, startedAt };
      return { statuses: new Map(step.statuses).set(event.name, status) };
    }
    case "completed":
      return { state: step.state === "cached" ? "cached" : "done", endedAt: event.at };
    case "failed":
      return { state: "failed", endedAt: event.at, message: event.message };
    case "canceled":
      return { state: "canceled", endedAt: event.at };
  }
}

/** Seconds with one decimal. */
export function seconds(milliseconds: number, digits: number = 1): string {
  return (Math.max(0, milliseconds) / 1000).toFixed(digits);
}
