// SPDX-License-Identifier: Apache-2.0
import type { RemovalReport } from "../engine/index.ts";

/** Docker's lines for removed names and images. */
export function removalText(entries: RemovalReport["entries"]): string {
  return entries.map(({ kind, subject }) => `${kind === "untagged" ? "Untagged" : "Deleted"}: ${subject}\n`).join("");
}
