// SPDX-License-Identifier: Apache-2.0
import { FORMAT_OPTIONS, listingText } from "../listing.ts";
import { binarySize, humanSize, shortId } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { ContainerStats } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare stats`. */
export const command: CommandBody = {
  usage: "[OPTIONS] [CONTAINER...]",
  description: "Shows the containers that run, or those named, anew every second until Ctrl-C.",
  count: { min: 0 },
  options: [
    { name: "all", short: "a", type: "boolean", description: "Show those too that do not run" },
    { name: "no-stream", type: "boolean", description: "Print one round and end" },
    { name: "no-trunc", type: "boolean", description: "Do not shorten ids" },
    ...FORMAT_OPTIONS,
  ],
  complete: ["running"],
  examples: [
    { line: "tare stats", text: "all running containers, live" },
    { line: "tare stats --no-stream --format '{{.Name}}: {{.MemUsage}}'", text: "one round for a script" },
  ],
  async run(context, parsed) {
    const { containers } = await context.engine();
    const stream = !parsed.boolean("no-stream");
    const { signal } = context;
    const request = { containers: parsed.positionals, all: parsed.boolean("all"), stream, signal };
    const show = printer(context, parsed, stream);
    for await (const rows of containers.stats(request)) show(rows);
  },
};

const HOME = "\u001b[H";
const CLEAR = "\u001b[2J";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

type Show = (rows: readonly ContainerStats[]) => void;

/** A round after another: over the last one on a terminal, below it elsewhere. */
function printer(context: CommandContext, parsed: ParsedArguments, stream: boolean): Show {
  const text = (rows: readonly ContainerStats[]): string => textOf(parsed, rows, stream);
  const { stdout } = context;
  if (!stream || !stdout.isTerminal) return (rows) => stdout.write(text(rows));
  stdout.write(CLEAR);
  return (rows) => stdout.write(`${HOME}${text(rows).replaceAll("\n", `${CLEAR_LINE}\n`)}${CLEAR_BELOW}`);
}

function textOf(parsed: ParsedArguments, rows: readonly ContainerStats[], stream: boolean): string {
  if (parsed.boolean("json")) return `${JSON.stringify(rows, undefined, stream ? undefined : 2)}\n`;
  const hasGpu = rows.some(({ gpu }) => gpu !== undefined);
  return listingText(statsListing(parsed.boolean("no-trunc"), hasGpu), rows, parsed.string("format") ?? "table");
}

/** Docker's columns, and the GPUs' where there are some. */
export function statsListing(full: boolean, hasGpu: boolean): Listing<ContainerStats> {
  const columns = ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"];
  return {
    columns: hasGpu ? [...columns, "GPUPerc", "GPUMem"] : columns,
    quiet: ({ id }) => id,
    fields: [
      { name: "Container", heading: "CONTAINER", value: (row) => row.container },
      { name: "ID", heading: "CONTAINER ID", value: ({ id }) => (full ? id : shortId(id)) },
      { name: "Name", heading: "NAME", value: (row) => row.name },
      { name: "CPUPerc", heading: "CPU %", value: (row) => percent(row.cpuPercent) },
      { name: "MemUsage", heading: "MEM USAGE / LIMIT", value: (row) => pair(row.memory, row.memoryLimit, binarySize) },
      { name: "MemPerc", heading: "MEM %", value: (row) => percent(row.memoryPercent) },
      { name: "NetIO", heading: "NET I/O", value: (row) => pair(row.received, row.sent, decimalSize) },
      { name: "BlockIO", heading: "BLOCK I/O", value: (row) => pair(row.blockRead, row.blockWritten, decimalSize) },
      { name: "PIDs", heading: "PIDS", value: ({ pids }) => (pids === undefined ? "--" : String(pids)) },
      ...(hasGpu ? GPU_FIELDS : []),
    ],
  };
}

const GPU_FIELDS: Listing<ContainerStats>["fields"] = [
  { name: "GPUPerc", heading: "GPU %", value: ({ gpu }) => percent(gpu?.percent) },
  {
    name: "GPUMem",
    heading: "GPU MEM",
    value: ({ gpu }) => (gpu?.memory === undefined ? "--" : binarySize(gpu.memory)),
  },
];

function percent(value: number | undefined): string {
  return value === undefined ? "--" : `${value.toFixed(2)}%`;
}

function pair(one: number | undefined, other: number | undefined, text: (bytes: number) => string): string {
  return one === undefined || other === undefined ? "-- / --" : `${text(one)} / ${text(other)}`;
}

function decimalSize(bytes: number): string {
  return humanSize(bytes, 3);
}
