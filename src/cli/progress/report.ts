// SPDX-License-Identifier: Apache-2.0
import { escapeLine, plainText } from "../text/escape.ts";
import { style } from "../text/style.ts";
import { seconds } from "./state.ts";
import type { Step, Warning } from "./state.ts";

/** The whole output of a failed step, between rules; empty when it printed nothing. */
export function failureText(step: Step, look: { readonly color: boolean; readonly strip: boolean }): string {
  if (step.log.lines.length === 0) return "";
  const lines = step.log.lines.map(
    ({ text, at }) => `${seconds(at - step.startedAt, 3)} ${look.strip ? plainText(text) : text}\n`,
  );
  const dropped = step.log.dropped > 0 ? `[${step.log.dropped} earlier lines left out]\n` : "";
  const name = style(look.color, "red", ` > ${plainText(step.label.replaceAll(/\s*\n\s*/g, " "))}:`);
  return `------\n${name}\n${dropped}${lines.join("")}------\n`;
}

/** The warnings of a build, one line each; empty when there are none. */
export function warningsText(warnings: readonly Warning[], color: boolean): string {
  if (warnings.length === 0) return "";
  const lines = warnings.map(({ rule, message, line }) =>
    escapeLine(` - ${rule}: ${message}${line === undefined ? "" : ` (line ${line})`}`),
  );
  const heading = ` ${warnings.length} warning${warnings.length === 1 ? "" : "s"} found:`;
  return `\n${style(color, "yellow", heading)}\n${lines.join("\n")}\n`;
}
