// SPDX-License-Identifier: Apache-2.0
import { FORCE_OPTION, LONG_FILTER_OPTION } from "../common-options.ts";
import { confirm } from "../confirm.ts";
import { filtersOf } from "../listing.ts";
import { volumeWarning } from "../prune-warning.ts";
import { humanSize } from "../text/human.ts";
import type { CommandBody } from "../command.ts";

/** `tare volume prune`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description: [
    "Removes anonymous volumes that no container has, running or not. Volumes that somebody named hold what somebody",
    "wanted to keep: they go with `-a` only. On a terminal it says what goes, and asks.",
  ].join(" "),
  count: { min: 0, max: 0 },
  options: [
    { name: "all", short: "a", type: "boolean", description: "Volumes that somebody named, too" },
    FORCE_OPTION,
    LONG_FILTER_OPTION,
    { name: "json", type: "boolean", description: "Print the report as JSON" },
  ],
  examples: [
    { line: "tare volume prune", text: "what ended containers left behind" },
    { line: "tare volume prune -a --filter label=scratch", text: "named ones of one kind" },
  ],
  async run(context, parsed) {
    const request = { all: parsed.boolean("all"), filters: filtersOf(parsed.list("filter")) };
    const { volumes } = await context.engine();
    const ask = async (): Promise<string> =>
      volumeWarning(request.all, (await volumes.prune({ ...request, dryRun: true })).volumes);
    if (!(await confirm(context, ask, parsed.boolean("force")))) return;
    const report = await volumes.prune(request);
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    if (report.volumes.length > 0) {
      context.stdout.write(`Deleted Volumes:\n${report.volumes.map(({ name }) => name).join("\n")}\n\n`);
    }
    context.stdout.write(`Total reclaimed space: ${humanSize(report.reclaimed)}\n`);
  },
};
