// SPDX-License-Identifier: Apache-2.0
import { usageError } from "../usage-error.ts";

/** A piece of a template: text to copy, or the tokens between `{{` and `}}`. */
export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly tokens: readonly Token[]; readonly source: string };

/** A token of an action. `spaced` tells `.A .B` from `.A.B`. */
export interface Token {
  readonly kind: "string" | "number" | "field" | "dot" | "variable" | "word" | "mark";
  readonly text: string;
  readonly spaced: boolean;
}

const TOKEN =
  /(?<space>\s+)|(?<string>"(?:[^"\\\n]|\\.)*")|(?<raw>`[^`]*`)|(?<char>'(?:[^'\\\n]|\\.)+')|(?<field>\.[\p{L}_][\p{L}\p{N}_]*)|(?<number>[+-]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?))|(?<dot>\.)|(?<variable>\$[\p{L}\p{N}_]*)|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<mark>:=|[=|(),])/uy;

/** Splits a Go template (text/template) into pieces; comments vanish and `{{-`, `-}}` trim. Throws `E_USAGE`. */
export function splitTemplate(template: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < template.length) {
    const open = template.indexOf("{{", at);
    const literal = template.slice(at, open < 0 ? undefined : open);
    const trimBefore = open >= 0 && /^\{\{-\s/.test(template.slice(open, open + 4));
    pushText(pieces, literal, { start: trimNext, end: trimBefore });
    if (open < 0) break;
    const close = actionEnd(template, open + 2);
    const inside = template.slice(open + (trimBefore ? 3 : 2), close);
    trimNext = /\s-$/.test(inside);
    const source = (trimNext ? inside.slice(0, -1) : inside).trim();
    if (!/^\/\*[^]*\*\/$/.test(source)) pieces.push({ kind: "action", tokens: tokens(source), source });
    at = close + 2;
  }
  return pieces;
}

function pushText(pieces: Piece[], literal: string, trim: { start: boolean; end: boolean }): void {
  let text = literal;
  if (trim.start) text = text.trimStart();
  if (trim.end) text = text.trimEnd();
  if (text !== "") pieces.push({ kind: "text", text });
}

/** Where the `}}` of an action is; quotes and comments hide it. */
function actionEnd(template: string, from: number): number {
  const rest = /\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'|\}\}/g;
  rest.lastIndex = from;
  for (let match = rest.exec(template); match; match = rest.exec(template)) if (match[0] === "}}") return match.index;
  throw usageError(`parsing the template: unclosed action \`${template.slice(from - 2, from + 30)}\``);
}

function tokens(source: string): readonly Token[] {
  const found: Token[] = [];
  let spaced = true;
  TOKEN.lastIndex = 0;
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(source)?.groups;
    if (!groups) throw usageError(`parsing the template: unexpected \`${source.slice(at, at + 10)}\` in \`${source}\``);
    const [kind = "", text = ""] = Object.entries(groups).find(([, value]) => value !== undefined) ?? [];
    if (kind !== "space") found.push(token(kind, text, spaced));
    spaced = kind === "space";
  }
  return found;
}

function token(kind: string, text: string, spaced: boolean): Token {
  switch (kind) {
    case "string":
      return { kind: "string", text: unquote(text), spaced };
    case "raw":
      return { kind: "string", text: text.slice(1, -1), spaced };
    case "char":
      return { kind: "number", text: String(unquote(text).codePointAt(0) ?? 0), spaced };
    case "field":
      return { kind: "field", text: text.slice(1), spaced };
    case "number":
    case "dot":
    case "variable":
    case "word":
      return { kind, text, spaced };
    default:
      return { kind: "mark", text, spaced };
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\u0007", b: "\b", f: "\f", v: "\v" };

function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replaceAll(
      /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))/g,
      (_all, hex?: string, unicode?: string, one?: string) => {
        const code = hex ?? unicode;
        return code === undefined ? (ESCAPES[one ?? ""] ?? one ?? "") : String.fromCodePoint(Number.parseInt(code, 16));
      },
    );
}
