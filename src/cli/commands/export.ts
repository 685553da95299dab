// SPDX-License-Identifier: Apache-2.0
import { byteSink } from "../byte-io.ts";
import type { CommandBody } from "../command.ts";

/** `tare export`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER",
  count: { min: 1, max: 1 },
  options: [
    {
      name: "output",
      short: "o",
      type: "string",
      description: "File to write; default: the standard output",
      complete: "file",
    },
  ],
  complete: ["container"],
  examples: [{ line: "tare export -o files.tar web", text: "all files of a container" }],
  async run(context, parsed) {
    const { containers } = await context.engine();
    await containers.export(parsed.word(0), byteSink(context, parsed.string("output")), context.signal);
  },
};
