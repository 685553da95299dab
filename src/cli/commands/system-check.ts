// SPDX-License-Identifier: Apache-2.0
import { escapeLine } from "../text/escape.ts";
import { style } from "../text/style.ts";
import type { StyleName } from "../text/style.ts";
import type { CommandBody } from "../command.ts";
import type { HostCheck } from "../../engine/index.ts";

/** `tare system check`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description: "Exit code 1 when something that is needed is missing.",
  count: { min: 0, max: 0 },
  options: [{ name: "json", type: "boolean", description: "Print the checks as JSON" }],
  examples: [{ line: "tare system check", text: "is this host ready?" }],
  async run(context, parsed) {
    const { system } = await context.engine();
    const checks = await system.check();
    if (parsed.boolean("json")) context.stdout.write(`${JSON.stringify(checks, undefined, 2)}\n`);
    else context.stdout.write(checksText(checks, context.stdout.color));
    return checks.some(({ status }) => status === "missing") ? 1 : 0;
  },
};

const LOOK: Readonly<Record<HostCheck["status"], { readonly word: string; readonly style: StyleName }>> = {
  ok: { word: "ok", style: "green" },
  warning: { word: "warning", style: "yellow" },
  missing: { word: "MISSING", style: "red" },
};

function checksText(checks: readonly HostCheck[], color: boolean): string {
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  const lines = checks.flatMap((check) => {
    const look = LOOK[check.status];
    const word = style(color, look.style, look.word.padEnd(7));
    const first = `${word}  ${check.name.padEnd(width)}  ${escapeLine(check.detail)}`;
    if (check.status === "ok") return [first];
    const more = [`needed for ${check.needed}`, ...(check.hint ? [`hint: ${check.hint}`] : [])];
    return [first, ...more.map((text) => `${" ".repeat(width + 11)}${escapeLine(text)}`)];
  });
  const lacking = checks.some(({ status, package: name }) => status !== "ok" && name !== undefined);
  return `${[...lines, ...(lacking ? ["`tare system install` installs what is missing."] : [])].join("\n")}\n`;
}
