// SPDX-License-Identifier: Apache-2.0
import { escapeLine } from "../text/escape.ts";
import { alignColumns } from "../text/columns.ts";
import type { CommandBody } from "../command.ts";

/** As Docker asks `ps`. */
const DEFAULT_ARGUMENTS: readonly string[] = ["-ef"];

/** `tare top`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER [PS_OPTION...]",
  count: { min: 1 },
  options: [{ name: "json", type: "boolean", description: "Print all as JSON" }],
  stopAtPositional: true,
  complete: ["running", "none"],
  examples: [
    { line: "tare top training", text: "all processes" },
    {
      line: "tare top training -o pid,rss,cmd",
      text: "columns of your own; the options are those of this host's `ps`",
    },
  ],
  async run(context, parsed) {
    const { containers } = await context.engine();
    const [name = "", ...words] = parsed.positionals;
    const { titles, rows } = await containers.processes(name, words.length === 0 ? DEFAULT_ARGUMENTS : words);
    if (parsed.boolean("json")) {
      const named = rows.map((row) => Object.fromEntries(titles.map((title, index) => [title, row[index] ?? ""])));
      return context.stdout.write(`${JSON.stringify(named, undefined, 2)}\n`);
    }
    context.stdout.write(alignColumns([titles, ...rows].map((row) => row.map((value) => escapeLine(value)))));
  },
};
