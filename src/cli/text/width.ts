// SPDX-License-Identifier: Apache-2.0
/** Characters of one column each: ASCII, Latin, punctuation, arrows, lines. Intl.Segmenter costs 30 ms to load. */
const SIMPLE = /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2190-\u2193\u2500-\u257f]*$/;
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\u200b-\u200f]+$/u;
// Unicode Standard Annex 11 (wide and fullwidth blocks) and emoji presentation; a close approximation.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Columns that a text without control characters takes on a terminal. */
export function displayWidth(text: string): number {
  if (SIMPLE.test(text)) return text.length;
  let width = 0;
  for (const cluster of clusters(text)) width += clusterWidth(cluster);
  return width;
}

/** The longest start of a text that fits `columns`, with `…` when something was cut. */
export function fit(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (SIMPLE.test(text)) return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
  if (displayWidth(text) <= columns) return text;
  let out = "";
  let width = 0;
  for (const cluster of clusters(text)) {
    width += clusterWidth(cluster);
    if (width > columns - 1) break;
    out += cluster;
  }
  return `${out}…`;
}

/** The longest end of a text that fits `columns`, behind `…` when something was cut: of a path the end tells more. */
export function fitEnd(text: string, columns: number): string {
  if (columns <= 0) return "";
  if (SIMPLE.test(text)) return text.length <= columns ? text : `…${text.slice(text.length - columns + 1)}`;
  if (displayWidth(text) <= columns) return text;
  let out = "";
  let width = 0;
  for (const cluster of clusters(text).toReversed()) {
    width += clusterWidth(cluster);
    if (width > columns - 1) break;
    out = cluster + out;
  }
  return `…${out}`;
}

/** Spaces behind the text up to `columns`. */
export function padTo(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - displayWidth(text)));
}

function clusterWidth(cluster: string): number {
  if (ZERO.test(cluster)) return 0;
  return WIDE.test(cluster) || cluster.includes("\ufe0f") ? 2 : 1;
}

function clusters(text: string): string[] {
  return Array.from(new Intl.Segmenter("en", { granularity: "grapheme" }).segment(text), ({ segment }) => segment);
}
