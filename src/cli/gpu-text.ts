// SPDX-License-Identifier: Apache-2.0
import { escapeLine } from "./text/escape.ts";
import { style } from "./text/style.ts";
import type { StyleName } from "./text/style.ts";
import type { GpuFinding, GpuTargetReport } from "../engine/index.ts";

/** How findings are shown. */
export interface GpuTextOptions {
  readonly color: boolean;
  /** Errors and warnings alone. */
  readonly quiet: boolean;
}

const LOOK: Readonly<Record<GpuFinding["level"], { readonly word: string; readonly style: StyleName }>> = {
  error: { word: "ERROR", style: "red" },
  warning: { word: "warning", style: "yellow" },
  unknown: { word: "unknown", style: "cyan" },
  ok: { word: "ok", style: "green" },
};

/** A heading for each machine, a line for each finding, below it what to change, and the sum. */
export function gpuReportText(reports: readonly GpuTargetReport[], options: GpuTextOptions): string {
  return reports.map((report) => reportText(report, options)).join("\n");
}

function reportText({ target, about, findings }: GpuTargetReport, { color, quiet }: GpuTextOptions): string {
  const shown = quiet ? findings.filter(({ level }) => level === "error" || level === "warning") : findings;
  const heading = style(color, "bold", escapeLine(`${target}: ${about}`));
  const lines = shown.flatMap((each, at) => findingLines(each, { color, isSaid: isSaid(shown, each, at) }));
  return `${[heading, ...lines, sumText(findings)].join("\n")}\n`;
}

/** True when an earlier finding says the same change. */
function isSaid(shown: readonly GpuFinding[], { fix }: GpuFinding, at: number): boolean {
  return fix !== undefined && shown.findIndex((each) => each.fix === fix) < at;
}

interface LineOptions {
  readonly color: boolean;
  readonly isSaid: boolean;
}

function findingLines({ level, message, fix }: GpuFinding, { color, isSaid: isOld }: LineOptions): readonly string[] {
  const look = LOOK[level];
  const first = `${style(color, look.style, look.word.padEnd(7))}  ${escapeLine(message)}`;
  if (fix === undefined) return [first];
  const text = isOld ? "the same as above" : escapeLine(fix);
  return [first, `         ${style(color, "dim", "to change:")} ${text}`];
}

function sumText(findings: readonly GpuFinding[]): string {
  const count = (level: GpuFinding["level"]): number => findings.filter((each) => each.level === level).length;
  const [errors, warnings, unknown] = [count("error"), count("warning"), count("unknown")];
  const parts = [
    ...(errors > 0 ? [`${errors} ${errors === 1 ? "error" : "errors"}`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? "warning" : "warnings"}`] : []),
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
  ];
  if (errors > 0) return parts.join(", ");
  return parts.length === 0 ? "nothing stands in the way" : `nothing stands in the way; ${parts.join(", ")}`;
}
