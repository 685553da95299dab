// SPDX-License-Identifier: Apache-2.0
import { FORMAT_OPTIONS, printListing } from "../listing.ts";
import { humanSize, shortId } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { StoredWheel } from "../../engine/index.ts";
import type { Listing } from "../listing.ts";

/** `tare wheels ls`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description: [
    "Lists wheels and sources of Python distributions that are here. ORIGIN says whether an index has them, or from what",
    "they were built; LAYERS how many layers are made of them.",
  ].join(" "),
  count: { min: 0, max: 0 },
  options: [
    { name: "built", type: "boolean", description: "Only those that were built from sources" },
    ...FORMAT_OPTIONS,
    { name: "quiet", short: "q", type: "boolean", description: "Print file names only" },
  ],
  examples: [
    { line: "tare wheels ls", text: "what is here" },
    { line: "tare wheels ls --built --json", text: "what `wheels push` would share, with its sources" },
  ],
  async run(context, parsed) {
    const { wheels } = await context.engine();
    const rows = await wheels.list();
    printListing(
      context,
      parsed,
      WHEELS,
      parsed.boolean("built") ? rows.filter(({ built }) => built !== undefined) : rows,
    );
  },
};

const WHEELS: Listing<StoredWheel> = {
  columns: ["Name", "Version", "Origin", "Layers", "Size"],
  quiet: (row) => row.fileName,
  fields: [
    { name: "Name", heading: "NAME", value: (row) => row.name },
    { name: "Version", heading: "VERSION", value: (row) => row.version },
    { name: "Origin", heading: "ORIGIN", value: originText },
    { name: "Layers", heading: "LAYERS", value: (row) => String(row.layers) },
    { name: "Size", heading: "SIZE", value: (row) => humanSize(row.size) },
    { name: "FileName", heading: "FILE", value: (row) => row.fileName },
    { name: "Digest", heading: "DIGEST", value: (row) => row.digest },
  ],
};

function originText({ built, fileName }: StoredWheel): string {
  if (built === undefined) return fileName.endsWith(".whl") ? "index" : "sources";
  const source = built.source.startsWith("sha256:") ? shortId(built.source) : built.source.slice(0, 16);
  return `built from ${source} in ${built.seconds} s`;
}
