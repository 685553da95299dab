// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from "node:fs";

/** Names in a folder; none where it can't be read, as when somebody has just deleted it. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
