// SPDX-License-Identifier: Apache-2.0
import { FORMAT_OPTIONS, printListing } from "../listing.ts";
import { escapeLine } from "../text/escape.ts";
import type { CommandBody } from "../command.ts";
import type { CdiDeviceSummary, CdiProblemReport } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** `tare gpu cdi ls`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description: [
    "Lists the devices that `run --device`, `--gpus` and `RUN --device` can ask for by name, with the CDI specification that",
    "each stands in. Files that can't be used, devices that two files claim, and devices whose files are gone are told on",
    "the standard error; `--json` has them with the folders that were read, in one object.",
  ].join(" "),
  count: { min: 0, max: 0 },
  options: [...FORMAT_OPTIONS, { name: "quiet", short: "q", type: "boolean", description: "Print names only" }],
  examples: [
    { line: "tare gpu cdi ls", text: "what can be asked for" },
    { line: "tare gpu cdi ls -q", text: "the names alone" },
    { line: "tare gpu cdi ls --format '{{.Name}}: {{.Nodes}}'", text: "the device nodes of each" },
  ],
  async run(context, parsed) {
    const { gpus } = await context.engine();
    const found = await gpus.cdiDevices();
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
    printListing(context, parsed, DEVICES, found.devices);
    for (const text of [...found.problems.map(problemText), ...found.devices.flatMap(missingText)]) {
      context.stderr.write(`WARNING: ${escapeLine(text)}\n`);
    }
  },
};

const DEVICES: Listing<CdiDeviceSummary> = {
  columns: ["Name", "File", "Gives"],
  quiet: (row) => row.name,
  fields: [
    { name: "Name", heading: "NAME", value: (row) => row.name },
    { name: "Kind", heading: "KIND", value: (row) => row.kind },
    { name: "File", heading: "FILE", value: (row) => row.file ?? "(generated)" },
    { name: "Gives", heading: "GIVES", value: givesText },
    { name: "Nodes", heading: "NODES", value: (row) => row.nodes.join(",") },
    { name: "Mounts", heading: "MOUNTS", value: (row) => row.mounts.join(",") },
    { name: "Env", heading: "ENV", value: (row) => row.env.join(",") },
    { name: "Hooks", heading: "HOOKS", value: (row) => row.hooks.join(",") },
    { name: "Missing", heading: "MISSING", value: (row) => row.missing.join(",") },
  ],
};

function givesText({ nodes, mounts, env, hooks }: CdiDeviceSummary): string {
  const parts = [
    counted(nodes.length, "node"),
    counted(mounts.length, "mount"),
    counted(env.length, "variable"),
    counted(hooks.length, "hook"),
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function counted(count: number, word: string): string {
  return count === 0 ? "" : `${count} ${word}${count === 1 ? "" : "s"}`;
}

function problemText({ files, device, message }: CdiProblemReport): string {
  return device === undefined ? `${files.join(", ")}: ${message}` : message;
}

function missingText({ name, missing }: CdiDeviceSummary): readonly string[] {
  return missing.length === 0 ? [] : [`\`${name}\` needs what is not on this host: ${missing.join(", ")}`];
}
