// SPDX-License-Identifier: Apache-2.0
import { openZip } from "../../archive/index.ts";
import { SLIM_RULES } from "./slim.ts";
import { planOf } from "./layer-files.ts";
import type { InstallSettings, WheelToInstall } from "./layer-files.ts";

/** What a rule of `--slim` left out. */
export interface LeftOut {
  readonly rule: string;
  readonly files: number;
  /** Bytes. */
  readonly size: number;
}

/** What these settings leave out of wheels, by rule; a file that several rules name counts with the first. */
export function leftOutOf(wheels: readonly WheelToInstall[], settings: InstallSettings): readonly LeftOut[] {
  if (settings.slim.length === 0) return [];
  const rules = SLIM_RULES.filter(({ name }) => settings.slim.includes(name));
  const rows: LeftOut[] = [];
  for (const wheel of wheels) {
    const zip = openZip(wheel.file);
    try {
      for (const { path, entry, bytes } of planOf(zip, wheel, { ...settings, slim: [] }).files) {
        const rule = rules.find(({ leavesOut }) => leavesOut(path))?.name;
        if (rule !== undefined) rows.push({ rule, files: 1, size: entry?.size ?? bytes?.length ?? 0 });
      }
    } finally {
      zip.close();
    }
  }
  return sumLeftOut(rows);
}

/** One row for each rule, largest first. */
export function sumLeftOut(rows: readonly LeftOut[]): readonly LeftOut[] {
  const sums = new Map<string, LeftOut>();
  for (const { rule, files, size } of rows) {
    const known = sums.get(rule) ?? { rule, files: 0, size: 0 };
    sums.set(rule, { rule, files: known.files + files, size: known.size + size });
  }
  return [...sums.values()].toSorted((a, b) => b.size - a.size || (a.rule < b.rule ? -1 : 1));
}
