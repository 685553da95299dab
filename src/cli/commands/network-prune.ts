// SPDX-License-Identifier: Apache-2.0
import { FORCE_OPTION, LONG_FILTER_OPTION } from "../common-options.ts";
import { confirm } from "../confirm.ts";
import { filtersOf } from "../listing.ts";
import type { CommandBody } from "../command.ts";

/** `tare network prune`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: [
    FORCE_OPTION,
    LONG_FILTER_OPTION,
    { name: "json", type: "boolean", description: "Print the names as JSON" },
  ],
  examples: [{ line: "tare network prune -f --filter until=24h", text: "unused networks older than a day" }],
  async run(context, parsed) {
    const filters = filtersOf(parsed.list("filter"));
    const warning = "WARNING! This will remove all custom networks not used by at least one container.";
    if (!(await confirm(context, warning, parsed.boolean("force")))) return;
    const { networks } = await context.engine();
    const names = await networks.prune({ filters });
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(names, undefined, 2)}\n`);
    if (names.length > 0) context.stdout.write(`Deleted Networks:\n${names.join("\n")}\n\n`);
  },
};
