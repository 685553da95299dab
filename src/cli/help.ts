// SPDX-License-Identifier: Apache-2.0
import { style } from "./text/style.ts";
import { wrap } from "./text/columns.ts";
import { displayWidth } from "./text/width.ts";
import { COMMON_OPTIONS, optionsOf } from "./parsed.ts";
import { takesValue } from "./scan.ts";
import type { CommandEntry, CommandGroup, CommandSpec, OptionSpec } from "./command.ts";

/** How help is laid out. */
export interface HelpStyle {
  readonly columns: number;
  readonly color: boolean;
}

const HEADINGS: Readonly<Record<CommandGroup, string>> = {
  main: "Build and run",
  containers: "Containers",
  volumes: "Volumes",
  images: "Images",
  system: "System",
  other: "Other",
};

const TOP_EXAMPLES = [
  ["tare base python:3.11-slim", "a base image, without any registry"],
  ["tare build -t hello .", "build the Dockerfile in this folder"],
  ["tare run --rm hello", "run it"],
];

/** The help of one command. */
export function commandHelp(spec: CommandSpec, layout: HelpStyle): string {
  const parts = [
    `Usage:  tare ${spec.name} ${spec.usage}`.trimEnd(),
    `${wrap(`${spec.summary}${spec.description ? `\n\n${spec.description}` : ""}`, layout.columns).join("\n")}`,
  ];
  if (spec.aliases.length > 0)
    parts.push(
      section("Aliases", `  ${[spec.name, ...spec.aliases].map((name) => `tare ${name}`).join(", ")}`, layout),
    );
  if (spec.examples.length > 0) parts.push(section("Examples", examples(spec), layout));
  parts.push(section("Options", optionTable(optionsOf(spec), layout.columns), layout));
  return `${parts.join("\n\n")}\n`;
}

/** The help of `tare` alone. */
export function topHelp(entries: readonly CommandEntry[], layout: HelpStyle): string {
  const shown = entries.filter((entry) => !entry.hidden);
  const width = Math.max(...shown.map((entry) => entry.name.length));
  const groups = Object.entries(HEADINGS).map(([group, heading]) =>
    section(
      heading,
      commandLines(
        shown.filter((entry) => entry.group === group),
        width,
      ),
      layout,
    ),
  );
  const lines = TOP_EXAMPLES.map(([line = "", text]) => `  ${line.padEnd(28)} # ${text}`).join("\n");
  return [
    "Usage:  tare [OPTIONS] COMMAND",
    "Containers for AI development: build and run images without a daemon. Commands and flags are Docker's.",
    section("Start here", lines, layout),
    ...groups,
    section("Options", optionTable([...COMMON_OPTIONS, VERSION_OPTION], layout.columns), layout),
    "`tare COMMAND --help` tells more about a command.\n",
  ].join("\n\n");
}

/** The help of a group of commands (`tare image`). */
export function groupHelp(
  group: string,
  entries: readonly (readonly [string, CommandEntry])[],
  layout: HelpStyle,
): string {
  const width = Math.max(...entries.map(([word]) => word.length));
  const lines = entries.map(([word, entry]) => `  ${word.padEnd(width)}  ${entry.summary}`).join("\n");
  return [
    `Usage:  tare ${group} COMMAND`,
    section("Commands", lines, layout),
    `\`tare ${group} COMMAND --help\` tells more about a command.\n`,
  ].join("\n\n");
}

const VERSION_OPTION: OptionSpec = {
  name: "version",
  short: "v",
  type: "boolean",
  description: "Print the version",
};

/** Options in two columns, sorted by name as Docker does; unsupported and hidden ones are left out. */
function optionTable(options: readonly OptionSpec[], columns: number): string {
  const rows = options
    .filter((option) => !option.hidden && option.unsupported === undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((option) => [optionLeft(option), optionRight(option)] as const);
  const left = Math.min(34, Math.max(...rows.map(([text]) => displayWidth(text))) + 3);
  return rows.flatMap(([name, text]) => optionLines(name, text, { left, columns })).join("\n");
}

function optionLines(name: string, text: string, layout: { left: number; columns: number }): string[] {
  const lines = wrap(text, Math.max(30, layout.columns - layout.left));
  const indented = lines.map((line) => `${" ".repeat(layout.left)}${line}`);
  if (name.length + 2 > layout.left) return [name, ...indented];
  return [`${name.padEnd(layout.left)}${lines[0] ?? ""}`, ...indented.slice(1)];
}

function optionLeft(option: OptionSpec): string {
  const short = option.short ? `-${option.short}, ` : "    ";
  const value = option.optional ? `[=${valueName(option)}]` : ` ${valueName(option)}`;
  return `  ${short}--${option.name}${takesValue(option) ? value : ""}`;
}

/** What stands for an option's value: its own name, or `list` / `string` as in Docker. */
export function valueName(option: OptionSpec): string {
  return option.valueName ?? (option.type === "list" ? "list" : "string");
}

/** An option's description with its choices and default. */
export function optionRight(option: OptionSpec): string {
  const choices = option.choices ? ` (${option.choices.join(", ")})` : "";
  const standard = option.default === undefined ? "" : ` (default ${JSON.stringify(option.default)})`;
  return `${option.description}${choices}${standard}`;
}

function commandLines(entries: readonly CommandEntry[], width: number): string {
  return entries.map((entry) => `  ${entry.name.padEnd(width)}  ${entry.summary}`).join("\n");
}

function examples(spec: CommandSpec): string {
  return spec.examples.map(({ line, text }) => `  # ${text}\n  ${line}`).join("\n\n");
}

function section(heading: string, body: string, layout: HelpStyle): string {
  return `${style(layout.color, "bold", `${heading}:`)}\n${body}`;
}
