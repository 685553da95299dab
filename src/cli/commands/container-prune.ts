// SPDX-License-Identifier: Apache-2.0
import { FORCE_OPTION, LONG_FILTER_OPTION } from "../common-options.ts";
import { confirm } from "../confirm.ts";
import { filtersOf } from "../listing.ts";
import { listText } from "../prune-warning.ts";
import { humanSize } from "../text/human.ts";
import type { CommandBody } from "../command.ts";

/** `tare container prune`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: [
    FORCE_OPTION,
    LONG_FILTER_OPTION,
    { name: "json", type: "boolean", description: "Print the report as JSON" },
  ],
  examples: [{ line: "tare container prune -f --filter until=24h", text: "ended containers older than a day" }],
  async run(context, parsed) {
    const filters = filtersOf(parsed.list("filter"));
    const { containers } = await context.engine();
    const warning = async (): Promise<string> =>
      `WARNING! This will remove all stopped containers.${listText(await containers.prunable(filters))}`;
    if (!(await confirm(context, warning, parsed.boolean("force")))) return;
    const report = await containers.prune({ filters });
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    if (report.ids.length > 0) context.stdout.write(`Deleted Containers:\n${report.ids.join("\n")}\n\n`);
    context.stdout.write(`Total reclaimed space: ${humanSize(report.reclaimed)}\n`);
  },
};
