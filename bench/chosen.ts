// SPDX-License-Identifier: Apache-2.0

/** The names of an option that lists some of those known, or `none`. Throws for one that is none of them. */
export function chosen(list: string, known: readonly string[]): readonly string[] {
  const names = list === "none" ? [] : list.split(",");
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) throw new Error(`\`${wrong}\` is none of ${known.join(", ")}`);
  return names;
}
