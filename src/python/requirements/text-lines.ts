// SPDX-License-Identifier: Apache-2.0
/** From the bytes of a requirements file to its lines, in the steps and the order of pip. */
import { GrammarProblem } from "./problem.ts";

/** A line after continuations were joined and comments removed. */
export interface LogicalLine {
  /** Where it starts, from 1. */
  readonly line: number;
  /** As written. */
  readonly text: string;
}

const BYTE_ORDER_MARKS: readonly (readonly [readonly number[], string])[] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xff, 0xfe, 0, 0], "utf-32le"],
  [[0, 0, 0xfe, 0xff], "utf-32be"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];

/**
 * The text of a file: by its byte order mark, by a `coding:` comment in the first two lines, else UTF-8. Throws
 * `GrammarProblem`.
 */
export function decodeText(content: Uint8Array | string): string {
  if (typeof content === "string") return content.replace(/^\ufeff/, "");
  const mark = BYTE_ORDER_MARKS.find(([bytes]) => bytes.every((byte, index) => content[index] === byte));
  if (mark !== undefined) return decodeAs(content.subarray(mark[0].length), mark[1]);
  const head = Buffer.from(content.subarray(0, 1000)).toString("latin1").split("\n").slice(0, 2);
  const comment = head.find((line) => line.startsWith("#") && /coding[:=]\s*[-\w.]+/.test(line)) ?? "";
  return decodeAs(content, /coding[:=]\s*([-\w.]+)/.exec(comment)?.[1] ?? "utf-8");
}

function decodeAs(bytes: Uint8Array, encoding: string): string {
  const label = encoding.toLowerCase().replaceAll("_", "-");
  if (label.startsWith("utf-32")) return decodeUtf32(bytes, label === "utf-32le");
  if (/^(?:iso-)?latin-?1$|^iso-?8859-1$/.test(label)) return Buffer.from(bytes).toString("latin1");
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) throw new GrammarProblem(`unknown encoding \`${encoding}\``);
    const line = new TextDecoder(label).decode(bytes).split("\ufffd", 1)[0]?.split("\n").length ?? 1;
    throw new GrammarProblem(
      `line ${line} is not ${encoding} text`,
      "name the encoding in line 1: # -*- coding: latin-1 -*-",
    );
  }
}

function decodeUtf32(bytes: Uint8Array, isLittle: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: string[] = [];
  for (let offset = 0; offset + 4 <= view.byteLength; offset += 4) {
    const point = view.getUint32(offset, isLittle);
    if (point > 0x10ffff) throw new GrammarProblem("not UTF-32 text");
    parts.push(String.fromCodePoint(point));
  }
  return parts.join("");
}

/** Where Python's `str.splitlines` ends a line. */
// eslint-disable-next-line no-control-regex
const LINE_END = /\r\n|[\n\r\v\f\u001c-\u001e\u0085\u2028\u2029]/;

const WHOLE_COMMENT = /^\s*#/;

/** The lines that say something. A comment between continued lines ends them. */
export function logicalLines(text: string): readonly LogicalLine[] {
  return joinLines(text.split(LINE_END))
    .map(({ line, text: joined }) => ({ line, text: withoutComment(joined).trim() }))
    .filter((line) => line.text !== "");
}

function joinLines(lines: readonly string[]): readonly LogicalLine[] {
  const joined: LogicalLine[] = [];
  let pending: { readonly line: number; readonly parts: string[] } | undefined;
  for (const [index, text] of lines.entries()) {
    const isComment = WHOLE_COMMENT.test(text);
    if (text.endsWith("\\") && !isComment) {
      pending ??= { line: index + 1, parts: [] };
      pending.parts.push(text.replace(/^\\+|\\+$/g, ""));
      continue;
    }
    const last = isComment ? ` ${text}` : text;
    joined.push({ line: pending?.line ?? index + 1, text: (pending?.parts.join("") ?? "") + last });
    pending = undefined;
  }
  if (pending !== undefined) joined.push({ line: pending.line, text: pending.parts.join("") });
  return joined;
}

/** A `#` starts a comment only at the start or behind white space: URLs have fragments. */
function withoutComment(text: string): string {
  const start = text.search(/(?:^|(?<=\s))#/);
  return start < 0 ? text : text.slice(0, start);
}

/** Replaces `${NAME}` (upper case, digits, `_`); what is unset or empty stays as written. */
export function expandVariables(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(/\$\{([A-Z0-9_]+)\}/g, (whole, name: string) => (Object.hasOwn(env, name) && env[name]) || whole);
}

/** The reverse, for messages: values that were put in (of four characters and more) become `${NAME}` again. */
export function concealVariables(
  message: string,
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const names = [...text.matchAll(/\$\{([A-Z0-9_]+)\}/g)].map((match) => match[1] ?? "");
  return names.reduce((result, name) => {
    const value = Object.hasOwn(env, name) ? (env[name] ?? "") : "";
    return value.length < 4 ? result : result.replaceAll(value, () => `\${${name}}`);
  }, message);
}
