// SPDX-License-Identifier: Apache-2.0
import { LISTING_OPTIONS, filtersOf, labelsText, printListing } from "../listing.ts";
import { listedTime, shortId } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { NetworkSummary } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** `tare network ls`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: LISTING_OPTIONS,
  examples: [
    { line: "tare network ls", text: "all networks" },
    { line: "tare network ls --filter type=custom -q", text: "the ids of those that somebody made" },
  ],
  async run(context, parsed) {
    const { networks } = await context.engine();
    const rows = await networks.list({ filters: filtersOf(parsed.list("filter")) });
    printListing(context, parsed, listing(parsed.boolean("no-trunc"), context.now()), rows);
  },
};

function listing(full: boolean, now: number): Listing<NetworkSummary> {
  const id = (row: NetworkSummary): string => (full ? row.id : shortId(row.id));
  return {
    columns: ["ID", "Name", "Driver", "Scope"],
    quiet: id,
    labels: (row) => row.labels,
    fields: [
      { name: "ID", heading: "NETWORK ID", value: id },
      { name: "Name", heading: "NAME", value: (row) => row.name },
      { name: "Driver", heading: "DRIVER", value: (row) => row.driver },
      { name: "Scope", heading: "SCOPE", value: () => "local" },
      { name: "IPv4", heading: "IPV4", value: () => "true" },
      { name: "IPv6", heading: "IPV6", value: (row) => String(row.ipv6) },
      { name: "Internal", heading: "INTERNAL", value: (row) => String(row.internal) },
      { name: "Labels", heading: "LABELS", value: (row) => labelsText(row.labels) },
      { name: "CreatedAt", heading: "CREATED AT", value: (row) => listedTime(row.createdAt || now) },
    ],
  };
}
