// SPDX-License-Identifier: Apache-2.0
import { LogPrinter } from "../log-printer.ts";
import { periodOf } from "../moment.ts";
import { usageError } from "../usage-error.ts";
import type { CommandBody } from "../command.ts";
import type { LogsRequest } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare logs`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER",
  count: { min: 1, max: 1 },
  options: [
    { name: "follow", short: "f", type: "boolean", description: "Go on printing until the container ends" },
    { name: "tail", short: "n", type: "string", default: "all", description: "Number of lines from the end" },
    {
      name: "since",
      type: "string",
      description: "Only what came after a time (`2026-01-02T15:04:05`) or age (`42m`)",
    },
    { name: "until", type: "string", description: "Only what came before a time or age" },
    { name: "timestamps", short: "t", type: "boolean", description: "Print the time of every line" },
    { name: "details", type: "boolean", description: "Print the labels, variables and tag that `--log-opt` names" },
    { name: "json", type: "boolean", description: "Print a JSON object for every piece of output" },
  ],
  complete: ["container"],
  examples: [
    { line: "tare logs -f --tail 20 training", text: "the last 20 lines, and what comes" },
    { line: "tare logs --since 10m web", text: "the last ten minutes" },
  ],
  async run(context, parsed) {
    const { containers } = await context.engine();
    const wanted = request(context, parsed);
    const printer = new LogPrinter(context, {
      form: parsed.boolean("json") ? "json" : "text",
      timestamps: parsed.boolean("timestamps"),
      ...(parsed.boolean("details") ? { details: await containers.logDetails(wanted.container) } : {}),
    });
    for await (const records of containers.logs(wanted)) printer.print(records);
  },
};

function request(context: CommandContext, parsed: ParsedArguments): LogsRequest {
  const tail = tailOf(parsed.string("tail") ?? "all");
  return {
    container: parsed.word(0),
    follow: parsed.boolean("follow"),
    signal: context.signal,
    ...periodOf(parsed, context.now()),
    ...(tail === undefined ? {} : { tail }),
  };
}

/** Docker takes negative numbers and `all` for everything. */
function tailOf(text: string): number | undefined {
  if (text === "all" || /^-\d+$/.test(text)) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw usageError(`invalid argument "${text}" for "-n, --tail" flag: expected a number or all`);
}
