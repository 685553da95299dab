// SPDX-License-Identifier: Apache-2.0

/** An object whose members may be missing, but are not undefined. */
type Known<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without the members that are undefined. */
export function known<T extends object>(value: T): Known<T> {
  const result: Known<T> = { ...value };
  for (const key of keysOf(result)) if (result[key] === undefined) delete result[key];
  return result;
}

function keysOf<T extends object>(value: T): readonly (keyof T)[] {
  return Object.keys(value) as (keyof T)[];
}
