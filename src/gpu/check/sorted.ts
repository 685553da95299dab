// SPDX-License-Identifier: Apache-2.0
import type { GpuFinding } from "../types.ts";

const ORDER = { error: 0, warning: 1, unknown: 2, ok: 3 } as const;

/** Findings that say the same once, worst first. */
export function sorted(findings: readonly GpuFinding[]): readonly GpuFinding[] {
  const once = [...new Map(findings.map((each) => [`${each.rule}\n${each.message}`, each])).values()];
  return once.toSorted((a, b) => ORDER[a.level] - ORDER[b.level]);
}
