// SPDX-License-Identifier: Apache-2.0
import { FORCE_OPTION, LONG_FILTER_OPTION } from "../common-options.ts";
import { confirm } from "../confirm.ts";
import { filtersOf } from "../listing.ts";
import { listText } from "../prune-warning.ts";
import { removalText } from "../removal-text.ts";
import { humanSize } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { Engine, SystemPruneReport, SystemPruneRequest } from "../../engine/index.ts";

/** `tare system prune`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description: [
    "Also cleans what killed commands left: temporary folders, mounts, processes. A wheel stays as long as a layer that",
    "is made of it does: a push takes the layer's compressed bytes from it. Wheels built here from sources, which no",
    "index has, stay unless `-a` is given. What a build has resolved is kept.",
  ].join(" "),
  count: { min: 0, max: 0 },
  options: [
    {
      name: "all",
      short: "a",
      type: "boolean",
      description: "All images without a container, and the whole build cache",
    },
    FORCE_OPTION,
    LONG_FILTER_OPTION,
    { name: "json", type: "boolean", description: "Print the report as JSON" },
    {
      name: "volumes",
      type: "boolean",
      description: "Anonymous volumes that nothing uses too; it names them before it asks",
    },
  ],
  examples: [
    { line: "tare system prune", text: "remove what nothing needs" },
    { line: "tare system prune -af", text: "keep running containers and their images only" },
  ],
  async run(context, parsed) {
    const request: SystemPruneRequest = {
      all: parsed.boolean("all"),
      volumes: parsed.boolean("volumes"),
      cache: true,
      filters: filtersOf(parsed.list("filter")),
      signal: context.signal,
    };
    const engine = await context.engine();
    const { system } = engine;
    if (!(await confirm(context, () => warning(engine, request), parsed.boolean("force")))) return;
    const report = await system.prune(request);
    context.stdout.write(parsed.boolean("json") ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report));
  },
};

/** Containers and volumes by name: they hold what can't be had again. */
async function warning(engine: Engine, { all, volumes, filters }: SystemPruneRequest): Promise<string> {
  const containers = await engine.containers.prunable(filters);
  const doomed = volumes ? (await engine.volumes.prune({ all: false, filters, dryRun: true })).volumes : [];
  const lines = [
    "WARNING! This will remove:",
    `  - all stopped containers${indented(listText(containers))}`,
    ...(volumes ? [`  - all anonymous volumes not used by at least one container${indented(listText(doomed))}`] : []),
    all ? "  - all images without at least one container associated to them" : "  - all dangling images",
    all ? "  - all build cache" : "  - unused build cache",
    all ? "  - all wheels that no layer left is made of" : "  - downloaded wheels that no layer is made of",
    "  - what interrupted commands left behind",
  ];
  return `${lines.join("\n")}\n`;
}

function indented(text: string): string {
  return text.replaceAll("\n", "\n    ");
}

function reportText(report: SystemPruneReport): string {
  const list = (heading: string, lines: readonly string[]): string =>
    lines.length > 0 ? `${heading}:\n${lines.join("\n")}\n\n` : "";
  return [
    list("Deleted Containers", report.containers),
    list("Deleted Volumes", report.volumes),
    report.images.length > 0 ? `Deleted Images:\n${removalText(report.images)}\n` : "",
    report.cacheRecords > 0 ? `Deleted build cache records: ${report.cacheRecords}\n` : "",
    report.wheels > 0 ? `Deleted wheels: ${report.wheels}\n` : "",
    report.leftovers > 0 ? `Cleaned leftovers of interrupted commands: ${report.leftovers}\n` : "",
    `Total reclaimed space: ${humanSize(report.reclaimed)}\n`,
  ].join("");
}
