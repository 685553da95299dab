// SPDX-License-Identifier: Apache-2.0
import { escapeLine } from "./text/escape.ts";
import type { BuildPlan } from "../engine/index.ts";

/** A plan for a person: what was decided, and the steps. */
export function planText({ text, decisions = [] }: Pick<BuildPlan, "text" | "decisions">): string {
  const lines = decisions.map((decision) => `${`${decision.name}:`.padEnd(14)}${escapeLine(decision.text)}\n`);
  return `${lines.join("")}${lines.length > 0 ? "\n" : ""}${text}`;
}
