// SPDX-License-Identifier: Apache-2.0
import { FORMAT_OPTIONS, printListing } from "../listing.ts";
import { PLATFORM_OPTION } from "../common-options.ts";
import { ago, humanSize, shortId } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { HistoryEntry } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** `tare history`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE",
  count: { min: 1, max: 1 },
  options: [
    ...FORMAT_OPTIONS,
    PLATFORM_OPTION,
    { name: "human", short: "H", type: "boolean", default: true, description: "Print sizes and times for people" },
    { name: "no-trunc", type: "boolean", description: "Do not shorten" },
    { name: "quiet", short: "q", type: "boolean", description: "Print ids only" },
  ],
  complete: ["image"],
  examples: [{ line: "tare history --no-trunc hello", text: "what made the layers, in full" }],
  async run(context, parsed) {
    const { images } = await context.engine();
    const platform = parsed.string("platform");
    const rows = await images.history(parsed.word(0), platform === undefined ? {} : { platform });
    const shown = { full: parsed.boolean("no-trunc"), human: parsed.boolean("human"), now: context.now() };
    printListing(context, parsed, historyListing(shown), rows);
  },
};

function historyListing(shown: { full: boolean; human: boolean; now: number }): Listing<HistoryEntry> {
  const id = (row: HistoryEntry): string => (shown.full || !row.id.startsWith("sha256:") ? row.id : shortId(row.id));
  const when = (row: HistoryEntry): string => new Date(row.createdAt).toISOString().replace(".000Z", "Z");
  return {
    columns: ["ID", shown.human ? "CreatedSince" : "CreatedAt", "CreatedBy", "Size", "Comment"],
    quiet: id,
    fields: [
      { name: "ID", heading: "IMAGE", value: id },
      { name: "CreatedSince", heading: "CREATED", value: (row) => ago(row.createdAt, shown.now) },
      { name: "CreatedAt", heading: "CREATED AT", value: when },
      { name: "CreatedBy", heading: "CREATED BY", value: (row) => shorten(row.createdBy, shown.full) },
      { name: "Size", heading: "SIZE", value: (row) => (shown.human ? humanSize(row.size, 3) : String(row.size)) },
      { name: "Comment", heading: "COMMENT", value: (row) => row.comment },
      { name: "Tags", heading: "TAGS", value: (row) => row.names.join(", ") },
    ],
  };
}

function shorten(text: string, full: boolean): string {
  const oneLine = text.replaceAll("\t", " ");
  return full || oneLine.length <= 45 ? oneLine : `${oneLine.slice(0, 44)}…`;
}
