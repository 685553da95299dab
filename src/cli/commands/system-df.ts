// SPDX-License-Identifier: Apache-2.0
import { FORMAT_OPTIONS, printListing } from "../listing.ts";
import { humanSize } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { UsageRow } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** `tare system df`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: FORMAT_OPTIONS,
  examples: [{ line: "tare system df", text: "images, layers, build cache and the rest" }],
  async run(context, parsed) {
    const { system } = await context.engine();
    printListing(context, parsed, USAGE, await system.usage());
  },
};

const USAGE: Listing<UsageRow> = {
  columns: ["Type", "TotalCount", "Active", "Size", "Reclaimable"],
  quiet: (row) => row.kind,
  fields: [
    { name: "Type", heading: "TYPE", value: (row) => `${row.kind.slice(0, 1).toUpperCase()}${row.kind.slice(1)}` },
    { name: "TotalCount", heading: "TOTAL", value: (row) => String(row.count) },
    { name: "Active", heading: "ACTIVE", value: (row) => String(row.active) },
    { name: "Size", heading: "SIZE", value: (row) => humanSize(row.size) },
    { name: "Reclaimable", heading: "RECLAIMABLE", value: reclaimable },
  ],
};

function reclaimable({ size, reclaimable: bytes }: UsageRow): string {
  return size > 0 ? `${humanSize(bytes)} (${Math.trunc((bytes * 100) / size)}%)` : humanSize(bytes);
}
