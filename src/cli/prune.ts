// SPDX-License-Identifier: Apache-2.0
/* What the prunes have in common: their options, the question with what is about to go, and the report. */
import { FORCE_OPTION } from "./common-options.ts";
import { confirm } from "./confirm.ts";
import { removalText } from "./removal-text.ts";
import { humanSize } from "./text/human.ts";
import type { OptionSpec } from "./command.ts";
import type { CommandContext } from "./context.ts";
import type { RemovalReport } from "../engine/index.ts";
import type { ParsedArguments } from "./parsed.ts";

/** Options of every prune. */
export const PRUNE_OPTIONS: readonly OptionSpec[] = [
  FORCE_OPTION,
  {
    name: "filter",
    type: "list",
    valueName: "filter",
    description: "Take only what fits (`until=24h`, `label=key=value`)",
  },
  { name: "json", type: "boolean", description: "Print the report as JSON" },
];

/** One kind of prune. */
export interface Prune<Report> {
  /** What goes; a function is called only when somebody is asked. */
  readonly warning: string | (() => Promise<string>);
  remove(): Promise<Report>;
  /** The report as Docker prints it. */
  text(report: Report): string;
}

/** Asks, removes and reports, as `PRUNE_OPTIONS` say. */
export async function prune<Report>(
  context: CommandContext,
  parsed: ParsedArguments,
  { warning, remove, text }: Prune<Report>,
): Promise<void> {
  if (!(await confirm(context, warning, parsed.boolean("force")))) return;
  const report = await remove();
  context.stdout.write(parsed.boolean("json") ? `${JSON.stringify(report, undefined, 2)}\n` : text(report));
}

/** A list under its heading; nothing for an empty one. */
export function deletedText(heading: string, lines: readonly string[]): string {
  return lines.length > 0 ? `${heading}:\n${lines.join("\n")}\n\n` : "";
}

/** The same for images and their names. */
export function deletedImagesText(entries: RemovalReport["entries"]): string {
  return entries.length > 0 ? `Deleted Images:\n${removalText(entries)}\n` : "";
}

/** The last line of a report. */
export function reclaimedText(bytes: number): string {
  return `Total reclaimed space: ${humanSize(bytes)}\n`;
}

/** Something that would go. */
interface Doomed {
  readonly name: string;
  readonly size: number;
}

const MOST = 20;

/** Names with sizes, a line each; the last line says how many more there are. */
export function listText(items: readonly Doomed[]): string {
  if (items.length === 0) return "";
  const lines = items.slice(0, MOST).map(({ name, size }) => `\n  ${name} (${humanSize(size)})`);
  const more = items.length > MOST ? `\n  and ${items.length - MOST} more` : "";
  return `${lines.join("")}${more}`;
}
