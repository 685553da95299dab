// SPDX-License-Identifier: Apache-2.0
import { problem } from "./problem.ts";
import { cut, trimEndOf, trimStart } from "./text.ts";

/** A parser directive (`# name=value`) and its line. */
export interface Directive {
  readonly name: string;
  readonly value: string;
  readonly line: number;
}

const NAMES: ReadonlySet<string> = new Set(["syntax", "escape", "check"]);
const NAME = /^([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=/;
const BYTE_ORDER_MARK = "\ufeff";

/**
 * Recognises directives line by line: they stand at the very top of a file, each at most once; the first line that
 * is none ends them.
 */
export class DirectiveReader {
  private readonly mark: string;
  private readonly seen = new Set<string>();
  private line: number;
  private done = false;

  /** `mark` begins a directive's line; `line` counts the lines that were read before. */
  constructor(mark: string = "#", line: number = 0) {
    this.mark = mark;
    this.line = line;
  }

  /** The directive on this line, or undefined. Throws `E_DF_DIRECTIVE` when it is repeated. */
  read(text: string): Directive | undefined {
    this.line += 1;
    if (this.done) return undefined;
    const parsed = text.startsWith(this.mark) ? parseDirective(trimStart(text.slice(this.mark.length))) : undefined;
    if (parsed === undefined) {
      this.done = true;
      return undefined;
    }
    if (this.seen.has(parsed.name)) {
      throw problem("E_DF_DIRECTIVE", `only one ${parsed.name} parser directive can be used`);
    }
    this.seen.add(parsed.name);
    return { ...parsed, line: this.line };
  }
}

/** What `# syntax=` asks for: the first word, the whole value and the line. */
export interface DetectedDirective {
  readonly value: string;
  readonly full: string;
  readonly line: number;
}

/** The `syntax` of a file in any of its notations: `# syntax=`, `// syntax=`, `{"syntax": …}`, after an optional `#!` line. */
export function detectSyntax(text: string): DetectedDirective | undefined {
  const { body, line } = withoutShebang(text);
  return (
    detectIn(body, "syntax", "#", line) ?? detectIn(body, "syntax", "//", line) ?? detectJson(body, "syntax", line)
  );
}

/** A directive in its `# name=value` notation, after an optional `#!` line. */
export function detectDirective(text: string, name: string): DetectedDirective | undefined {
  const { body, line } = withoutShebang(text);
  return detectIn(body, name, "#", line);
}

/** Reads `name=value` of a comment whose mark was removed; undefined when it is no directive. */
export function parseDirective(text: string): { readonly name: string; readonly value: string } | undefined {
  const match = NAME.exec(text);
  const name = (match?.[1] ?? "").toLowerCase();
  if (match === null || !NAMES.has(name)) return undefined;
  const rest = text.slice(match[0].length);
  const value = trimEndOf(trimStart(rest), "\t\n\f\r ");
  if (value !== "") return { name, value };
  return rest === "" ? undefined : { name, value: rest.slice(-1) };
}

function detectIn(body: string, name: string, mark: string, line: number): DetectedDirective | undefined {
  const reader = new DirectiveReader(mark, line);
  let rest: string | undefined = body;
  while (rest !== undefined) {
    const [text, following]: readonly [string, string | undefined] = cut(rest, "\n");
    const found = readQuietly(reader, text.endsWith("\r") ? text.slice(0, -1) : text);
    if (found === undefined) return undefined;
    if (found.name === name) return { value: cut(found.value, " ")[0], full: found.value, line: found.line };
    rest = following;
  }
  return undefined;
}

function readQuietly(reader: DirectiveReader, text: string): Directive | undefined {
  try {
    return reader.read(text);
  } catch {
    return undefined;
  }
}

function detectJson(body: string, name: string, line: number): DetectedDirective | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
    const value: unknown = Object.entries(parsed).find(([key]) => key === name)?.[1];
    return typeof value === "string" ? { value, full: value, line } : undefined;
  } catch {
    return undefined;
  }
}

function withoutShebang(text: string): { readonly body: string; readonly line: number } {
  const plain = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  if (!plain.startsWith("#!")) return { body: plain, line: 0 };
  return { body: cut(plain, "\n")[1] ?? "", line: 1 };
}
