// SPDX-License-Identifier: Apache-2.0
import { escapeLine } from "../text/escape.ts";
import type { CommandBody } from "../command.ts";
import type { FsckFinding } from "../../engine/index.ts";

/** `tare system fsck`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description: "Reads everything in the store and compares it with its digests. Exit code 1 when damage remains.",
  count: { min: 0, max: 0 },
  options: [
    { name: "json", type: "boolean", description: "Print the findings as JSON" },
    { name: "quick", type: "boolean", description: "Do not read contents: presence, sizes and links only" },
    { name: "repair", type: "boolean", description: "Repair what can be repaired, remove what cannot" },
  ],
  examples: [
    { line: "tare system fsck", text: "look, and change nothing" },
    { line: "tare system fsck --repair", text: "repair" },
  ],
  async run(context, parsed) {
    const { system } = await context.engine();
    const findings = await system.fsck({
      repair: parsed.boolean("repair"),
      quick: parsed.boolean("quick"),
      signal: context.signal,
    });
    if (parsed.boolean("json")) context.stdout.write(`${JSON.stringify(findings, undefined, 2)}\n`);
    else context.stdout.write(findingsText(findings));
    return findings.some(({ repaired }) => !repaired) ? 1 : 0;
  },
};

function findingsText(findings: readonly FsckFinding[]): string {
  if (findings.length === 0) return "The store is sound.\n";
  const lines = findings.map(({ kind, subject, problem, repair, repaired }) =>
    escapeLine(`${kind} ${subject}: ${problem}; ${repaired ? "repaired" : "to repair"}: ${repair}`),
  );
  const open = findings.filter(({ repaired }) => !repaired).length;
  const end = open > 0 ? `${open} to repair: \`tare system fsck --repair\`` : "All repaired.";
  return `${lines.join("\n")}\n${end}\n`;
}
