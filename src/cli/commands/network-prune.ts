// SPDX-License-Identifier: Apache-2.0
import { filtersOf } from "../listing.ts";
import { PRUNE_OPTIONS, deletedText, prune } from "../prune.ts";
import type { CommandBody } from "../command.ts";

/** `tare network prune`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: PRUNE_OPTIONS,
  examples: [{ line: "tare network prune -f --filter until=24h", text: "unused networks older than a day" }],
  async run(context, parsed) {
    const filters = filtersOf(parsed.list("filter"));
    await prune(context, parsed, {
      warning: "WARNING! This will remove all custom networks not used by at least one container.",
      remove: async () => (await context.engine()).networks.prune({ filters }),
      text: (names) => deletedText("Deleted Networks", names),
    });
  },
};
