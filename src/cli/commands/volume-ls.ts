// SPDX-License-Identifier: Apache-2.0
import { FILTER_OPTION, FORMAT_OPTIONS, filtersOf, labelsText, printListing } from "../listing.ts";
import { humanSize, listedTime } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { VolumeSummary } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** `tare volume ls`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: [
    FILTER_OPTION,
    ...FORMAT_OPTIONS,
    { name: "quiet", short: "q", type: "boolean", description: "Print names only" },
    { name: "size", short: "s", type: "boolean", description: "Show sizes, and which containers have the volumes" },
  ],
  examples: [
    { line: "tare volume ls --filter dangling=true", text: "those that no container has" },
    { line: "tare volume ls -s", text: "what takes the space" },
    { line: "tare volume ls --format '{{.Name}} {{.Mountpoint}}'", text: "a list of your own" },
  ],
  async run(context, parsed) {
    const { volumes } = await context.engine();
    const size = parsed.boolean("size");
    const rows = await volumes.list({
      filters: filtersOf(parsed.list("filter")),
      size,
    });
    printListing(context, parsed, volumeListing(size), rows);
  },
};

/** How volumes are listed. */
function volumeListing(size: boolean): Listing<VolumeSummary> {
  return {
    columns: size ? ["Driver", "Name", "Size", "Containers"] : ["Driver", "Name"],
    quiet: (row) => row.name,
    labels: (row) => row.labels,
    fields: [
      { name: "Driver", heading: "DRIVER", value: (row) => row.driver },
      { name: "Name", heading: "VOLUME NAME", value: (row) => row.name },
      { name: "Labels", heading: "LABELS", value: (row) => labelsText(row.labels) },
      { name: "Links", heading: "LINKS", value: (row) => String(row.users.length) },
      { name: "Mountpoint", heading: "MOUNTPOINT", value: (row) => row.mountpoint },
      { name: "Scope", heading: "SCOPE", value: () => "local" },
      { name: "Size", heading: "SIZE", value: (row) => (row.size === undefined ? "N/A" : humanSize(row.size)) },
      { name: "Availability", heading: "AVAILABILITY", value: () => "N/A" },
      { name: "Group", heading: "GROUP", value: () => "N/A" },
      { name: "Status", heading: "STATUS", value: () => "N/A" },
      { name: "Containers", heading: "CONTAINERS", value: (row) => row.users.join(",") },
      { name: "CreatedAt", heading: "CREATED AT", value: (row) => listedTime(row.createdAt) },
    ],
  };
}
