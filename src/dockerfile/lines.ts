// SPDX-License-Identifier: Apache-2.0
import { problem } from "./problem.ts";
import { trimStart } from "./text.ts";

/** Longest physical line in bytes, without its end. */
const LINE_LIMIT = 65_535;

/** The physical lines of a text, each with its line end, and a position in them. */
export class LineReader {
  private readonly text: string;
  private offset = 0;
  private count = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Number of the line that was read last, from 1; 0 before the first. */
  get line(): number {
    return this.count;
  }

  /** The next line with its line end, or undefined at the end. Throws `E_DF_TOOBIG` for an overlong line. */
  next(): string | undefined {
    if (this.offset >= this.text.length) return undefined;
    const newline = this.text.indexOf("\n", this.offset);
    const end = newline < 0 ? this.text.length : newline + 1;
    const line = this.text.slice(this.offset, end);
    this.offset = end;
    this.count += 1;
    if (isTooLong(line)) {
      throw problem(
        "E_DF_TOOBIG",
        `a line is longer than ${LINE_LIMIT} bytes`,
        "move long data into a file and COPY it",
      );
    }
    return line;
  }
}

function isTooLong(line: string): boolean {
  if (line.length <= LINE_LIMIT / 3) return false;
  const body = trimLineEnd(line);
  return body.length > LINE_LIMIT || Buffer.byteLength(body) > LINE_LIMIT;
}

/** A line without its line end (every `\r` and `\n` at the end). */
export function trimLineEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === "\n" || line[end - 1] === "\r")) end -= 1;
  return line.slice(0, end);
}

/** Whether the first visible character is `#`. */
export function isComment(line: string): boolean {
  return trimStart(line).startsWith("#");
}

/** A line without its continuation mark, and whether it has one: an escape character, not itself escaped, at the end. */
export function takeContinuation(line: string, escape: string): { readonly text: string; readonly continues: boolean } {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end -= 1;
  const continues = end > 0 && line[end - 1] === escape && (end === 1 || line[end - 2] !== escape);
  return continues ? { text: line.slice(0, end - 1), continues } : { text: line, continues };
}
