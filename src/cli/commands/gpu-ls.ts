// SPDX-License-Identifier: Apache-2.0
import { FORMAT_OPTIONS, printListing } from "../listing.ts";
import { binarySize } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { GpuList, GpuPartSummary, GpuSummary, GpuUser } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** `tare gpu ls`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description:
    "Lists the GPUs of this host by PCI address, their MIG parts below them, and who uses them: containers by name, other " +
    "processes by program and pid. What NVIDIA's driver does not say is not known; standard error tells why.",
  count: { min: 0, max: 0 },
  options: [
    ...FORMAT_OPTIONS,
    {
      name: "quiet",
      short: "q",
      type: "boolean",
      description: "Print only what names a GPU or part for `--gpus device=`",
    },
  ],
  examples: [
    { line: "tare gpu ls", text: "all GPUs and who uses them" },
    { line: "tare gpu ls --format '{{.Index}} {{.MemoryUsed}} {{.UsedBy}}'", text: "a list of your own" },
    { line: `tare run --gpus "device=$(tare gpu ls -q | head -n 1)" IMAGE`, text: "run on the first one" },
  ],
  async run(context, parsed) {
    const { gpus: engine } = await context.engine();
    const { gpus, remarks } = await patiently(context, () => engine.list({ signal: context.signal }));
    for (const remark of remarks) context.stderr.write(`${remark}\n`);
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(gpus, undefined, 2)}\n`);
    const rows = gpus.flatMap(rowsOf);
    const shown = parsed.boolean("quiet")
      ? rows.filter(({ part, gpu: { parts } }) => part || parts.length === 0)
      : rows;
    return printListing(context, parsed, LISTING, shown);
  },
};

/** Says what is waited for: GPUs that no process has open are initialised first. */
async function patiently(context: CommandContext, work: () => Promise<GpuList>): Promise<GpuList> {
  const say = (): void => context.stderr.write("waiting for the GPU driver\n");
  const timer = context.stderr.isTerminal ? setTimeout(say, 2000) : undefined;
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** A GPU, or a part of it. */
interface Row {
  readonly gpu: GpuSummary;
  readonly part?: GpuPartSummary;
}

function rowsOf(gpu: GpuSummary): readonly Row[] {
  return [{ gpu }, ...gpu.parts.map((part) => ({ gpu, part }))];
}

const LISTING: Listing<Row> = {
  columns: ["Index", "Name", "Memory", "GPUPerc", "Driver", "CUDA", "Architecture", "UsedBy"],
  quiet: askedAs,
  fields: [
    { name: "Index", heading: "INDEX", value: indexOf },
    { name: "Vendor", heading: "VENDOR", value: ({ gpu }) => gpu.vendor },
    { name: "Name", heading: "NAME", value: ({ gpu, part }) => (part ? `MIG ${part.profile ?? "part"}` : gpu.name) },
    { name: "Memory", heading: "MEMORY", value: memory },
    { name: "MemoryUsed", heading: "USED", value: ({ gpu, part }) => size((part ?? gpu).memoryUsed) },
    { name: "MemoryTotal", heading: "TOTAL", value: ({ gpu, part }) => size((part ?? gpu).memoryTotal) },
    { name: "GPUPerc", heading: "GPU %", value: ({ gpu, part }) => (part ? "--" : withUnit(gpu.utilisation, "%")) },
    { name: "Temperature", heading: "TEMPERATURE", value: ({ gpu }) => withUnit(gpu.temperature, "°C") },
    { name: "Driver", heading: "DRIVER", value: ({ gpu }) => gpu.driver ?? "--" },
    { name: "CUDA", heading: "CUDA", value: ({ gpu }) => gpu.cuda ?? "--" },
    { name: "Architecture", heading: "ARCH", value: ({ gpu }) => gpu.architecture ?? "--" },
    { name: "Brand", heading: "BRAND", value: ({ gpu }) => gpu.brand ?? "--" },
    { name: "MIG", heading: "MIG", value: ({ gpu }) => gpu.parts.map(({ profile = "part" }) => profile).join(",") },
    { name: "UUID", heading: "UUID", value: ({ gpu, part }) => (part ?? gpu).uuid ?? "--" },
    { name: "BusID", heading: "BUS ID", value: ({ gpu }) => gpu.busId ?? "--" },
    { name: "Minor", heading: "MINOR", value: ({ gpu }) => withUnit(gpu.minor, "") },
    { name: "UsedBy", heading: "USED BY", value: ({ gpu, part }) => namesOf((part ?? gpu).users).join(",") },
  ],
};

function indexOf({ gpu, part }: Row): string {
  return part ? `${gpu.index}:${part.index}` : String(gpu.index);
}

/** NVIDIA's by uuid, which stays with the card; a name of CDI says the maker of others. */
function askedAs(row: Row): string {
  const { gpu, part } = row;
  return gpu.vendor === "nvidia" ? ((part ?? gpu).uuid ?? indexOf(row)) : `${gpu.vendor}.com/gpu=${indexOf(row)}`;
}

function memory({ gpu, part }: Row): string {
  const { memoryUsed, memoryTotal } = part ?? gpu;
  return memoryUsed === undefined && memoryTotal === undefined ? "--" : `${size(memoryUsed)} / ${size(memoryTotal)}`;
}

function size(bytes: number | undefined): string {
  return bytes === undefined ? "--" : binarySize(bytes);
}

function withUnit(value: number | undefined, unit: string): string {
  return value === undefined ? "--" : `${value}${unit}`;
}

/** Each container once, then processes of the host. */
function namesOf(users: readonly GpuUser[]): readonly string[] {
  const containers = users.flatMap(({ container }) => container?.name ?? []);
  const others = users.filter(({ container }) => !container).map(({ pid, command }) => `${command ?? "?"}(${pid})`);
  return [...new Set(containers), ...others];
}
