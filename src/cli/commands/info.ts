// SPDX-License-Identifier: Apache-2.0
import { escapeLine } from "../text/escape.ts";
import { compileTemplate } from "../template/index.ts";
import type { CommandBody } from "../command.ts";

/** `tare info`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: [
    { name: "format", short: "f", type: "string", description: "`json`, or a Go template" },
    { name: "json", type: "boolean", description: "Print as JSON" },
  ],
  examples: [{ line: "tare info -f '{{.DockerRootDir}}'", text: "one value" }],
  async run(context, parsed) {
    const { system } = await context.engine();
    const facts = await system.info();
    const format = parsed.string("format");
    if (parsed.boolean("json") || format === "json") context.stdout.write(`${JSON.stringify(facts, undefined, 2)}\n`);
    else if (format !== undefined) context.stdout.write(`${compileTemplate(format)(facts)}\n`);
    else context.stdout.write(factLines(facts, "").join(""));
  },
};

function valueText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** `Key: value` lines; members of objects are indented. */
function factLines(facts: Readonly<Record<string, unknown>>, indent: string): readonly string[] {
  return Object.entries(facts).flatMap(([key, value]) => {
    if (Array.isArray(value)) return [`${indent}${key}: ${escapeLine(value.map(valueText).join(", "))}\n`];
    if (typeof value === "object" && value !== null)
      return [`${indent}${key}:\n`, ...factLines(Object.fromEntries(Object.entries(value)), `${indent}  `)];
    return [`${indent}${key}: ${escapeLine(String(value))}\n`];
  });
}
