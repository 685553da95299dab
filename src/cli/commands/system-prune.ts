// SPDX-License-Identifier: Apache-2.0
import { filtersOf } from "../listing.ts";
import { PRUNE_OPTIONS, deletedImagesText, deletedText, listText, prune, reclaimedText } from "../prune.ts";
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
    ...PRUNE_OPTIONS,
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
    await prune(context, parsed, {
      warning: () => warning(engine, request),
      remove: () => engine.system.prune(request),
      text: reportText,
    });
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
  return [
    deletedText("Deleted Containers", report.containers),
    deletedText("Deleted Volumes", report.volumes),
    deletedImagesText(report.images),
    report.cacheRecords > 0 ? `Deleted build cache records: ${report.cacheRecords}\n` : "",
    report.wheels > 0 ? `Deleted wheels: ${report.wheels}\n` : "",
    report.leftovers > 0 ? `Cleaned leftovers of interrupted commands: ${report.leftovers}\n` : "",
    reclaimedText(report.reclaimed),
  ].join("");
}
