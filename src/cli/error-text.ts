// SPDX-License-Identifier: Apache-2.0
import { isTareError, messageOf } from "../base/index.ts";
import { escapeControls, escapeLine, plainText } from "./text/escape.ts";
import { style } from "./text/style.ts";
import type { TareError } from "../base/index.ts";
import type { CommandContext } from "./context.ts";

/** How an error is shown. */
export interface ErrorStyle {
  readonly color: boolean;
  /** Causes and stack traces too. */
  readonly debug: boolean;
}

/** An error for a person: code and message, the place in a source file, the hint. Ends with a line feed. */
export function errorText(error: unknown, shown: ErrorStyle): string {
  if (!isTareError(error)) return bugText(error, shown);
  const [first = "", ...rest] = escapeControls(error.message).split("\n");
  const lines = [`${style(shown.color, "red", `error[${error.code}]:`)} ${first}`, ...rest.map((line) => `  ${line}`)];
  lines.push(...sourceLines(error, shown));
  const usage = error.details["usage"];
  if (typeof usage === "string") lines.push(`  usage: ${escapeLine(usage)}`);
  if (error.hint) lines.push(`${style(shown.color, "cyan", "hint:")} ${escapeControls(error.hint)}`);
  if (shown.debug) lines.push(...debugLines(error));
  return `${lines.join("\n")}\n`;
}

/** Prints an error on stderr, as the context wants it shown. */
export function printError({ stderr, debug }: Pick<CommandContext, "stderr" | "debug">, error: unknown): void {
  stderr.write(errorText(error, { color: stderr.color, debug }));
}

/** A failure that nobody foresaw. */
function bugText(error: unknown, shown: ErrorStyle): string {
  const lines = [`${style(shown.color, "red", "error[BUG]:")} ${escapeControls(messageOf(error))}`];
  if (shown.debug) lines.push(...debugLines(error));
  else lines.push(`${style(shown.color, "cyan", "hint:")} this is a bug in Tare; \`--debug\` shows where`);
  return `${lines.join("\n")}\n`;
}

function debugLines(error: unknown): string[] {
  const lines: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && depth < 8; depth += 1) {
    const stack = at instanceof Error ? (at.stack ?? at.message) : String(at);
    lines.push(
      ...escapeControls(`${depth === 0 ? "" : "caused by: "}${stack}`)
        .split("\n")
        .map((line) => `  ${line}`),
    );
    lines.push(...outputLines(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return lines;
}

/** What a program said that failed. */
function outputLines(error: unknown): string[] {
  const output = isTareError(error) ? error.details["output"] : undefined;
  if (typeof output !== "string" || output === "") return [];
  return escapeControls(output.slice(-LONGEST_OUTPUT))
    .split("\n")
    .map((line) => `  | ${line}`);
}

const LONGEST_OUTPUT = 16_384;

/** Lines shown before and after those that are meant. */
const AROUND = 2;

/**
 * `--> file:line:column` and the source, when the error knows its place. `details.source` is the whole file: the lines
 * are shown among their neighbours, marked with `>>>`. `details.text` is only the lines themselves: with carets.
 */
function sourceLines(error: TareError, shown: ErrorStyle): string[] {
  const { file, line, endLine, column, endColumn, text, source } = error.details;
  if (typeof file !== "string" || typeof line !== "number") return [];
  const from = typeof column === "number" ? column : undefined;
  const to = typeof endColumn === "number" ? endColumn : from;
  const lines = [`  --> ${escapeLine(file)}:${line}${from === undefined ? "" : `:${from}`}`];
  if (typeof source === "string" && from === undefined)
    return [...lines, ...excerpt(source, line, typeof endLine === "number" ? endLine : line, shown)];
  if (typeof text !== "string" || text === "") return lines;
  return [...lines, ...snippet({ first: line, text, from, to }, shown)];
}

function excerpt(source: string, line: number, endLine: number, shown: ErrorStyle): string[] {
  const all = source.replace(/\n$/, "").split("\n");
  const first = Math.max(1, line - AROUND);
  const last = Math.min(all.length, endLine + AROUND);
  const gutter = String(last).length + 2;
  return all.slice(first - 1, last).map((row, index) => {
    const number = first + index;
    const isMeant = number >= line && number <= endLine;
    const mark = isMeant ? style(shown.color, "red", ">>>") : "   ";
    return `${style(shown.color, "blue", `${String(number).padStart(gutter)} |`)} ${mark} ${plainText(row)}`.trimEnd();
  });
}

interface Snippet {
  readonly first: number;
  readonly text: string;
  readonly from: number | undefined;
  readonly to: number | undefined;
}

function snippet({ first, text, from, to }: Snippet, shown: ErrorStyle): string[] {
  const source = text.replace(/\n$/, "").split("\n");
  const gutter = Math.max(3, String(first + source.length - 1).length + 1);
  const bar = (label: string): string => style(shown.color, "blue", `${label.padStart(gutter)} |`);
  const lines = source.flatMap((line, index) => {
    const row = `${bar(String(first + index))} ${plainText(line)}`;
    return index === 0 ? [row, `${bar("")} ${caret(line, from, to, shown)}`] : [row];
  });
  return [bar(""), ...lines];
}

function caret(line: string, from: number | undefined, to: number | undefined, shown: ErrorStyle): string {
  const start = Math.max(0, (from ?? line.length - line.trimStart().length + 1) - 1);
  const end = Math.min(Math.max(to ?? line.trimEnd().length, start + 1), Math.max(line.length, start + 1));
  const before = plainText(`${line.slice(0, start)}|`).length - 1;
  return " ".repeat(before) + style(shown.color, "red", "^".repeat(end - start));
}
