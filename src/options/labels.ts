// SPDX-License-Identifier: Apache-2.0
import { cut, usage } from "./usage.ts";

/** Parses `--label name[=value]`. Throws `E_USAGE`. */
export function parseLabel(text: string): readonly [name: string, value: string] {
  const { key, value } = cut(text, "=");
  const name = key.replace(/^[ \t]+/, "");
  if (name === "") throw usage(`invalid label '${text}': empty name`);
  if (/[ \t]/.test(name)) throw usage(`label '${name}' contains whitespaces`);
  return [name, value ?? ""];
}

/** Parses labels into a map; the last of a name wins. Throws `E_USAGE`. */
export function parseLabels(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(texts.map(parseLabel));
}
