// SPDX-License-Identifier: Apache-2.0
import { LISTING_OPTIONS, filtersOf, labelsText, printListing } from "../listing.ts";
import { ago, humanDuration, humanSize, listedTime, shortId } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { ContainerSummary } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** `tare ps`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  count: { min: 0, max: 0 },
  options: [
    ...LISTING_OPTIONS,
    { name: "all", short: "a", type: "boolean", description: "Show those too that do not run" },
    {
      name: "last",
      short: "n",
      type: "string",
      valueName: "int",
      default: "-1",
      description: "Show the newest so many",
    },
    { name: "latest", short: "l", type: "boolean", description: "Show the newest only" },
    { name: "size", short: "s", type: "boolean", description: "Show sizes" },
  ],
  examples: [
    { line: "tare ps -a", text: "all containers, also ended ones" },
    { line: "tare ps --filter label=team=vision --format '{{.Names}}: {{.Status}}'", text: "a list of your own" },
  ],
  async run(context, parsed) {
    const { containers } = await context.engine();
    const size = parsed.boolean("size");
    const rows = await containers.list({
      all: parsed.boolean("all"),
      last: parsed.boolean("latest") ? 1 : (parsed.integer("last") ?? -1),
      size: size || (parsed.string("format") ?? "").includes(".Size"),
      filters: filtersOf(parsed.list("filter")),
    });
    const shown = { full: parsed.boolean("no-trunc"), size, now: context.now() };
    printListing(context, parsed, containerListing(shown), rows);
  },
};

interface Shown {
  readonly full: boolean;
  readonly size: boolean;
  readonly now: number;
}

/** How containers are listed. */
export function containerListing({ full, size, now }: Shown): Listing<ContainerSummary> {
  const columns = ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"];
  return {
    columns: size ? [...columns, "Size"] : columns,
    quiet: (row) => (full ? row.id : shortId(row.id)),
    labels: (row) => row.labels,
    fields: [
      { name: "ID", heading: "CONTAINER ID", value: (row) => (full ? row.id : shortId(row.id)) },
      { name: "Image", heading: "IMAGE", value: (row) => row.image },
      {
        name: "Command",
        heading: "COMMAND",
        value: (row) => JSON.stringify(shorten(commandLine(row.command), full ? Infinity : 20)),
      },
      { name: "CreatedAt", heading: "CREATED AT", value: (row) => listedTime(row.createdAt) },
      { name: "RunningFor", heading: "CREATED", value: (row) => ago(row.createdAt, now) },
      { name: "Status", heading: "STATUS", value: (row) => statusText(row, now) },
      { name: "State", heading: "STATE", value: (row) => row.state },
      { name: "Ports", heading: "PORTS", value: (row) => row.ports.join(", ") },
      { name: "Names", heading: "NAMES", value: (row) => row.name },
      { name: "Labels", heading: "LABELS", value: (row) => labelsText(row.labels) },
      {
        name: "Mounts",
        heading: "MOUNTS",
        value: (row) => row.mounts.map((mount) => shorten(mount, full ? Infinity : 15)).join(","),
      },
      { name: "Networks", heading: "NETWORKS", value: (row) => row.networks.join(",") },
      { name: "Size", heading: "SIZE", value: (row) => sizeText(row) },
      { name: "LocalVolumes", heading: "LOCAL VOLUMES", value: (row) => String(row.localVolumes) },
    ],
  };
}

/** Docker's words for a state: `Up 2 minutes (healthy)`, `Exited (0) 3 hours ago`. */
export function statusText(row: ContainerSummary, now: number): string {
  const up = humanDuration(now - (row.startedAt ?? now));
  switch (row.state) {
    case "running":
      return row.health ? `Up ${up} (${row.health === "starting" ? "health: starting" : row.health})` : `Up ${up}`;
    case "paused":
      return `Up ${up} (Paused)`;
    case "restarting":
      return `Restarting (${row.exitCode ?? 0}) ${ago(row.finishedAt ?? now, now)}`;
    case "exited":
      return `Exited (${row.exitCode ?? 0}) ${ago(row.finishedAt ?? now, now)}`;
    case "created":
      return "Created";
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
  }
}

function shorten(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

function sizeText(row: ContainerSummary): string {
  if (!row.size) return "0B";
  return `${humanSize(row.size.writable, 3)} (virtual ${humanSize(row.size.root, 3)})`;
}

/** As Docker shows it: words with a space between apostrophes. */
function commandLine(words: readonly string[]): string {
  return words.map((word) => (word.includes(" ") ? `'${word}'` : word)).join(" ");
}
