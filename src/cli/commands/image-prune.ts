// SPDX-License-Identifier: Apache-2.0
import { FORCE_OPTION, LONG_FILTER_OPTION } from "../common-options.ts";
import { confirm } from "../confirm.ts";
import { filtersOf } from "../listing.ts";
import { removalText } from "../removal-text.ts";
import { humanSize } from "../text/human.ts";
import type { CommandBody } from "../command.ts";

/** `tare image prune`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: [
    { name: "all", short: "a", type: "boolean", description: "All images without a container, not only nameless ones" },
    FORCE_OPTION,
    LONG_FILTER_OPTION,
    { name: "json", type: "boolean", description: "Print the report as JSON" },
  ],
  examples: [{ line: "tare image prune -f", text: "remove nameless images without a question" }],
  async run(context, parsed) {
    const all = parsed.boolean("all");
    const filters = filtersOf(parsed.list("filter"));
    const what = all ? "all images without at least one container associated to them" : "all dangling images";
    if (!(await confirm(context, `WARNING! This will remove ${what}.`, parsed.boolean("force")))) return;
    const { images } = await context.engine();
    const report = await images.prune({ all, filters });
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    if (report.entries.length > 0) context.stdout.write(`Deleted Images:\n${removalText(report.entries)}\n`);
    context.stdout.write(`Total reclaimed space: ${humanSize(report.reclaimed)}\n`);
  },
};
