// SPDX-License-Identifier: Apache-2.0
import { filtersOf } from "../listing.ts";
import { PRUNE_OPTIONS, deletedImagesText, prune, reclaimedText } from "../prune.ts";
import type { CommandBody } from "../command.ts";

/** `tare image prune`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: [
    { name: "all", short: "a", type: "boolean", description: "All images without a container, not only nameless ones" },
    ...PRUNE_OPTIONS,
  ],
  examples: [{ line: "tare image prune -f", text: "remove nameless images without a question" }],
  async run(context, parsed) {
    const all = parsed.boolean("all");
    const filters = filtersOf(parsed.list("filter"));
    const what = all ? "all images without at least one container associated to them" : "all dangling images";
    await prune(context, parsed, {
      warning: `WARNING! This will remove ${what}.`,
      remove: async () => (await context.engine()).images.prune({ all, filters }),
      text: ({ entries, reclaimed }) => `${deletedImagesText(entries)}${reclaimedText(reclaimed)}`,
    });
  },
};
