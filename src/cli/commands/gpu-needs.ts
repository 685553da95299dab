// SPDX-License-Identifier: Apache-2.0
import { PLATFORM_OPTION } from "../common-options.ts";
import { FORMAT_OPTIONS, printListing } from "../listing.ts";
import { alignColumns } from "../text/columns.ts";
import { escapeLine } from "../text/escape.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { GpuPackage, ImageNeeds } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** `tare gpu needs`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE",
  description: [
    "Shows what an image needs of GPUs, read from the image itself: its CUDA and C library, what its variables ask for,",
    "and the Python packages with the CUDA that they were built with and the compute capabilities that their shared",
    "objects have code for. KERNELS in parentheses are in some parts of a package only. SOURCE is `wheel` for what the",
    "package says itself, `unknown` where it says nothing. Wheels are read once; the second time is instant.",
  ].join(" "),
  count: { min: 1, max: 1 },
  options: [PLATFORM_OPTION, PROGRESS_OPTION, ...FORMAT_OPTIONS],
  complete: ["image"],
  examples: [
    { line: "tare gpu needs app", text: "which GPUs its packages have code for" },
    { line: "tare gpu needs --format '{{.Name}} {{.Kernels}}' app", text: "the same for a script" },
    { line: "tare gpu needs --json app", text: "everything, with exact requirements" },
  ],
  async run(context, parsed) {
    const { gpus } = await context.engine();
    const platform = parsed.string("platform");
    const request = { image: parsed.word(0), ...(platform === undefined ? {} : { platform }) };
    const mode = progressMode(parsed.string("progress"), context.env);
    const needs = await withProgress(context, { mode, title: "Reading" }, (call) =>
      gpus.needs({ ...request, ...call }),
    );
    const { stdout } = context;
    if (parsed.boolean("json")) return stdout.write(`${JSON.stringify(needs, undefined, 2)}\n`);
    if (parsed.string("format") === undefined) stdout.write(headOf(needs));
    printListing(context, parsed, PACKAGES, needs.packages);
  },
};

/** What is not of a package, a line each, and an empty line. */
function headOf({ toolkit, libc, compat, env }: ImageNeeds): string {
  const drivers =
    compat === undefined || compat.drivers.length === 0 ? "older drivers" : `drivers ${compat.drivers.join(", ")}`;
  const rows = [
    ...(toolkit === undefined ? [] : [["CUDA toolkit:", toolkit]]),
    ...(compat === undefined ? [] : [["Compat library:", `CUDA ${compat.cuda} on ${drivers}`]]),
    ...(libc === undefined ? [] : [["C library:", libc]]),
    ...Object.entries(env).map(([name, value], index) => [index === 0 ? "Variables:" : "", `${name}=${value}`]),
  ];
  return rows.length === 0 ? "" : `${alignColumns(rows.map((row) => row.map(escapeLine)))}\n`;
}

const PACKAGES: Listing<GpuPackage> = {
  columns: ["Name", "Version", "CUDA", "Kernels", "PTX", "Source"],
  quiet: (row) => row.name,
  fields: [
    { name: "Name", heading: "PACKAGE", value: (row) => row.name },
    { name: "Version", heading: "VERSION", value: (row) => row.version },
    { name: "CUDA", heading: "CUDA", value: (row) => row.cuda ?? "" },
    { name: "Kernels", heading: "KERNELS", value: kernelsText },
    { name: "PTX", heading: "PTX", value: (row) => (row.kernels?.ptx ?? []).join(" ") },
    { name: "Source", heading: "SOURCE", value: (row) => row.source },
  ],
};

function kernelsText({ kernels }: GpuPackage): string {
  if (kernels === undefined) return "";
  const { cubins, ptx, partial = [], gfx = [] } = kernels;
  if (cubins.length + ptx.length + partial.length + gfx.length === 0) return "none";
  const amd = gfx.length <= SHOWN ? gfx : [...gfx.slice(0, 1), "…", ...gfx.slice(-1), `(${gfx.length})`];
  return [...cubins, ...partial.map((one) => `(${one})`), ...amd].join(" ");
}

/** AMD's targets are many, and their names long. */
const SHOWN = 4;
