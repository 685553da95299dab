// SPDX-License-Identifier: Apache-2.0
const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
} as const;

/** A way to set off text. */
export type StyleName = keyof typeof CODES;

/** Wraps text in the style's escape sequences when `color` is on. */
export function style(color: boolean, name: StyleName, text: string): string {
  if (!color || text === "") return text;
  const [on, off] = CODES[name];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}
