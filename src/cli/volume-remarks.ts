// SPDX-License-Identifier: Apache-2.0

/** What a user should know of files that a backup or a push read. */
export function volumeRemarks(report: {
  readonly changed: readonly string[];
  readonly skipped: readonly string[];
}): string {
  const list = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ");
  const { changed, skipped } = report;
  return [
    changed.length > 0 ? `note: changed while they were read, and were read again: ${list(changed)}\n` : "",
    skipped.length > 0 ? `note: sockets are left out: ${list(skipped)}\n` : "",
  ].join("");
}
