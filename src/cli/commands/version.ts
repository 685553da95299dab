// SPDX-License-Identifier: Apache-2.0
import { productVersion } from "../version.ts";
import type { CommandBody } from "../command.ts";

/** `tare version`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: [
    { name: "format", short: "f", type: "string", description: "`json`, or a Go template" },
    { name: "json", type: "boolean", description: "Print as JSON" },
    { name: "short", type: "boolean", description: "One line", hidden: true },
  ],
  examples: [{ line: "tare version --format '{{.Client.Version}}'", text: "for scripts" }],
  async run(context, parsed) {
    const facts = {
      Client: { Version: productVersion(), NodeVersion: process.version, Os: process.platform, Arch: architecture() },
    };
    const format = parsed.string("format");
    if (parsed.boolean("short")) context.stdout.write(`Tare version ${facts.Client.Version}\n`);
    else if (parsed.boolean("json") || format === "json") context.stdout.write(`${JSON.stringify(facts)}\n`);
    else if (format === undefined) {
      const { Version, NodeVersion, Os, Arch } = facts.Client;
      context.stdout.write(`Tare:     ${Version}\nNode:     ${NodeVersion}\nPlatform: ${Os}/${Arch}\n`);
    } else {
      const { compileTemplate } = await import("../template/index.ts");
      context.stdout.write(`${compileTemplate(format)(facts)}\n`);
    }
  },
};

/** The OCI name of this machine's architecture. */
function architecture(): string {
  return process.arch === "x64" ? "amd64" : process.arch;
}
