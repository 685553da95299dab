// SPDX-License-Identifier: Apache-2.0
import { filtersOf } from "../listing.ts";
import { PRUNE_OPTIONS, deletedText, listText, prune, reclaimedText } from "../prune.ts";
import type { CommandBody } from "../command.ts";

/** `tare container prune`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: PRUNE_OPTIONS,
  examples: [{ line: "tare container prune -f --filter until=24h", text: "ended containers older than a day" }],
  async run(context, parsed) {
    const filters = filtersOf(parsed.list("filter"));
    const { containers } = await context.engine();
    await prune(context, parsed, {
      warning: async () =>
        `WARNING! This will remove all stopped containers.${listText(await containers.prunable(filters))}`,
      remove: () => containers.prune({ filters }),
      text: ({ ids, reclaimed }) => `${deletedText("Deleted Containers", ids)}${reclaimedText(reclaimed)}`,
    });
  },
};
