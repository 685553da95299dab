// SPDX-License-Identifier: Apache-2.0
import type { GpuData } from "./types.ts";

/** The data as text, one row a line: so it stands in `shipped.json`, and so a change of it can be read. */
export function formatGpuData(data: GpuData): string {
  const members = Object.entries(data).map(([name, value]) => `  ${JSON.stringify(name)}: ${memberText(value)}`);
  return `{\n${members.join(",\n")}\n}\n`;
}

function memberText(value: unknown): string {
  if (Array.isArray(value)) return block("[", value.map(inline), "]");
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${inline(member)}`);
  return block("{", members, "}");
}

function block(open: string, lines: readonly string[], close: string): string {
  return lines.length === 0
    ? `${open}${close}`
    : `${open}\n${lines.map((line) => `    ${line}`).join(",\n")}\n  ${close}`;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${inline(member)}`);
  return `{${members.join(", ")}}`;
}
