// SPDX-License-Identifier: Apache-2.0
import { eventDocument, eventJson, eventLine } from "../event-text.ts";
import { filtersOf, templateText } from "../listing.ts";
import { periodOf } from "../moment.ts";
import { compileTemplate } from "../template/index.ts";
import type { CommandBody } from "../command.ts";
import type { EventsRequest, StoreEvent } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare events`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: [
    {
      name: "filter",
      short: "f",
      type: "list",
      valueName: "filter",
      description: "Only what fits: `type`, `event`, `container`, `image`, `label`, `network`, `volume`",
    },
    { name: "format", type: "string", description: "`json` (one object a line) or a Go template" },
    { name: "json", type: "boolean", description: "The same as `--format json`" },
    {
      name: "since",
      type: "string",
      description: "Also what came after a time (`2026-01-02T15:04:05`) or age (`42m`)",
    },
    { name: "until", type: "string", description: "End at a time or age" },
  ],
  examples: [
    { line: "tare events --filter event=die --filter event=oom", text: "tell when a container ends" },
    { line: "tare events --since 1h --until 0s --json", text: "what happened in the last hour" },
  ],
  async run(context, parsed) {
    const print = printerOf(context, parsed);
    const wanted = request(context, parsed);
    const { system } = await context.engine();
    for await (const event of system.events(wanted)) print(event);
  },
};

function request(context: CommandContext, parsed: ParsedArguments): EventsRequest {
  const filters = filtersOf(parsed.list("filter"));
  return { filters, signal: context.signal, ...periodOf(parsed, context.now()) };
}

function printerOf(context: CommandContext, parsed: ParsedArguments): (event: StoreEvent) => void {
  const format = parsed.string("format");
  const print = (text: string): void => context.stdout.write(`${text}\n`);
  if (parsed.boolean("json") || format === "json" || format === "{{json .}}") return (event) => print(eventJson(event));
  if (format === undefined || format === "") return (event) => print(eventLine(event));
  const template = compileTemplate(templateText(format));
  return (event) => print(template(eventDocument(event)));
}
