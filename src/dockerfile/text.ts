// SPDX-License-Identifier: Apache-2.0
/** What counts as white space between words of an instruction (Unicode White_Space, without the byte order mark). */
const SPACES =
  "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";
const SPACE_SET: ReadonlySet<string> = new Set(SPACES);

/** Whether one character is white space. */
export function isSpace(character: string | undefined): boolean {
  return character !== undefined && SPACE_SET.has(character);
}

/** `text` without leading white space. */
export function trimStart(text: string): string {
  let start = 0;
  while (start < text.length && isSpace(text[start])) start += 1;
  return text.slice(start);
}

/** `text` without trailing white space. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

/** `text` without white space at either end. */
export function trim(text: string): string {
  return trimEnd(trimStart(text));
}

/** `text` without any of `characters` at its end. */
export function trimEndOf(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** Splits at the first `separator`: `[before, after]`, `after` undefined when it does not occur. */
export function cut(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Quotes a value for a message as Go's `%q` does for plain text. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** The shortest equivalent of a slash-separated path, by text alone (`.` for the empty path). */
export function cleanPath(path: string): string {
  if (path === "") return ".";
  const rooted = path.startsWith("/");
  const out: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") out.push(part);
    else if (out.length > 0 && out.at(-1) !== "..") out.pop();
    else if (!rooted) out.push("..");
  }
  const joined = out.join("/");
  if (rooted) return `/${joined}`;
  return joined === "" ? "." : joined;
}

/** A boolean as flags and mount options write it (`1 t T TRUE true True` and their opposites), else undefined. */
export function parseBoolean(text: string): boolean | undefined {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  return ["0", "f", "F", "FALSE", "false", "False"].includes(text) ? false : undefined;
}
