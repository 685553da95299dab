// SPDX-License-Identifier: Apache-2.0
import { displayWidth, padTo } from "./width.ts";

const GAP = 3;

/**
 * Rows as aligned columns, three spaces apart, each row ending with a line feed; no blanks at line ends. With `narrowest`
 * a column takes at least so much, its gap included.
 */
export function alignColumns(rows: readonly (readonly string[])[], narrowest: number = GAP): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? narrowest - GAP, displayWidth(cell));
    });
  return rows.map((row) => `${alignRow(row, widths)}\n`).join("");
}

function alignRow(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => (column === row.length - 1 ? cell : padTo(cell, (widths[column] ?? 0) + GAP)))
    .join("")
    .trimEnd();
}

/** Breaks a text into lines of at most `width` columns at blanks; line feeds stay. */
export function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, width));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ")) {
    if (current !== "" && displayWidth(current) + 1 + displayWidth(word) > width) {
      lines.push(current);
      current = word;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return [...lines, current];
}
