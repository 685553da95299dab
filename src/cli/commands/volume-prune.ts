// SPDX-License-Identifier: Apache-2.0
import { filtersOf } from "../listing.ts";
import { PRUNE_OPTIONS, deletedText, listText, prune, reclaimedText } from "../prune.ts";
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
    ...PRUNE_OPTIONS,
  ],
  examples: [
    { line: "tare volume prune", text: "what ended containers left behind" },
    { line: "tare volume prune -a --filter label=scratch", text: "named ones of one kind" },
  ],
  async run(context, parsed) {
    const request = { all: parsed.boolean("all"), filters: filtersOf(parsed.list("filter")) };
    const { volumes } = await context.engine();
    const what = request.all ? "volumes" : "anonymous volumes";
    await prune(context, parsed, {
      warning: async () => {
        const doomed = await volumes.prune({ ...request, dryRun: true });
        return `WARNING! This will remove all ${what} not used by at least one container.${listText(doomed.volumes)}`;
      },
      remove: () => volumes.prune(request),
      text: (report) => {
        const names = report.volumes.map(({ name }) => name);
        return `${deletedText("Deleted Volumes", names)}${reclaimedText(report.reclaimed)}`;
      },
    });
  },
};
