// SPDX-License-Identifier: Apache-2.0
/** A word as one types it in a shell: quoted where it has to be. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
