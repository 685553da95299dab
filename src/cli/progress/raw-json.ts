// SPDX-License-Identifier: Apache-2.0
import type { BuildEvent } from "../../engine/index.ts";
import type { Change } from "./state.ts";

/** One line of JSON for an event, in the shape of BuildKit's `rawjson` progress (its SolveStatus message). */
export function rawJsonLine({ event, step }: Change): string {
  return `${JSON.stringify(statusOf(event, step))}\n`;
}

function statusOf(event: BuildEvent, step: Change["step"]): Readonly<Record<string, unknown>> {
  const at = new Date(event.at).toISOString();
  switch (event.kind) {
    case "vertex":
      return { vertexes: [{ digest: event.id, inputs: event.inputs, name: event.label }] };
    case "log":
      return {
        logs: [
          { vertex: event.id, stream: event.stream, data: Buffer.from(event.data).toString("base64"), timestamp: at },
        ],
      };
    case "status": {
      const { id, name, current, total } = event;
      return { statuses: [{ id: name, vertex: id, name, current, total, timestamp: at }] };
    }
    case "warning": {
      const { rule, message, file, line } = event;
      const range = line === undefined ? [] : [{ start: { line }, end: { line } }];
      return {
        warnings: [{ level: 1, rule, short: message, ...(file ? { sourceInfo: { filename: file } } : {}), range }],
      };
    }
    default:
      return { vertexes: [vertexOf(event, step, at)] };
  }
}

function vertexOf(
  event: Extract<BuildEvent, { kind: "started" | "cached" | "completed" | "failed" | "canceled" }>,
  step: Change["step"],
  at: string,
): Readonly<Record<string, unknown>> {
  const started = step ? new Date(step.startedAt).toISOString() : at;
  const vertex = { digest: event.id, name: step?.label ?? event.id, started };
  switch (event.kind) {
    case "started":
      return vertex;
    case "cached":
      return { ...vertex, completed: at, cached: true };
    case "completed":
      return { ...vertex, completed: at, ...(step?.state === "cached" ? { cached: true } : {}) };
    case "failed":
      return { ...vertex, completed: at, error: event.message };
    case "canceled":
      return { ...vertex, completed: at, error: "canceled" };
  }
}
