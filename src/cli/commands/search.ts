// SPDX-License-Identifier: Apache-2.0
import { FORMAT_OPTIONS, filtersOf, printListing } from "../listing.ts";
import type { CommandBody } from "../command.ts";
import type { SearchResult } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** Where Docker cuts descriptions. */
const DESCRIPTION = 45;

/** `tare search`. */
export const command: CommandBody = {
  usage: "[OPTIONS] TERM",
  description: "Searches Docker Hub, most stars first. Other registries have no search.",
  count: { min: 1, max: 1 },
  options: [
    {
      name: "filter",
      short: "f",
      type: "list",
      valueName: "filter",
      description: "Show only what fits: `is-official=true`, `stars=100`",
    },
    ...FORMAT_OPTIONS,
    { name: "limit", type: "string", valueName: "int", default: "25", description: "Results to ask for, at most 100" },
    { name: "no-trunc", type: "boolean", description: "Do not shorten descriptions" },
  ],
  complete: ["none"],
  examples: [
    { line: "tare search --filter is-official=true python", text: "images that Docker looks after" },
    { line: "tare search --limit 5 --json cuda", text: "as JSON" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const text = parsed.string("limit") ?? "25";
    const rows = await engine.registry.search({
      term: parsed.word(0),
      limit: /^\d+$/.test(text) ? Number(text) : Number.NaN,
      filters: filtersOf(parsed.list("filter")),
      signal: context.signal,
    });
    printListing(context, parsed, listing(parsed.boolean("no-trunc")), rows);
  },
};

function listing(isWhole: boolean): Listing<SearchResult> {
  const sign = (value: boolean): string => (value ? "[OK]" : "");
  return {
    columns: ["Name", "Description", "StarCount", "IsOfficial"],
    quiet: (row) => row.name,
    fields: [
      { name: "Name", heading: "NAME", value: (row) => row.name },
      { name: "Description", heading: "DESCRIPTION", value: ({ description }) => shortened(description, isWhole) },
      { name: "StarCount", heading: "STARS", value: (row) => String(row.stars) },
      { name: "IsOfficial", heading: "OFFICIAL", value: (row) => sign(row.isOfficial) },
      { name: "IsAutomated", heading: "AUTOMATED", value: (row) => sign(row.isAutomated) },
    ],
  };
}

function shortened(text: string, isWhole: boolean): string {
  const line = text.replaceAll(/[\r\n]+/g, " ");
  const characters = [...line];
  return isWhole || characters.length <= DESCRIPTION ? line : `${characters.slice(0, DESCRIPTION - 1).join("")}…`;
}
