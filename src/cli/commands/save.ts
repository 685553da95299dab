// SPDX-License-Identifier: Apache-2.0
import { byteSink } from "../byte-io.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare save`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  count: { min: 1 },
  options: [
    {
      name: "output",
      short: "o",
      type: "string",
      description: "File to write; default: the standard output",
      complete: "file",
    },
    {
      name: "format",
      type: "string",
      default: "docker",
      choices: ["docker", "oci", "docker-archive", "oci-archive"],
      description: "Kind of archive",
    },
    { name: "platform", type: "list", description: "Platforms to write; default: all" },
    {
      name: "compression",
      type: "string",
      choices: ["none", "gzip", "gzip:single", "estargz", "zstd"],
      description: "How layers made here are compressed; default none",
    },
    { ...PROGRESS_OPTION, default: "quiet" },
  ],
  complete: ["image"],
  examples: [
    { line: "tare save -o hello.tar hello", text: "an archive that `docker load` reads" },
    { line: "tare save hello | ssh gpu-box tare load", text: "to another machine" },
  ],
  async run(context, parsed) {
    const output = byteSink(context, parsed.string("output"));
    const engine = await context.engine();
    const format = (parsed.string("format") ?? "docker").startsWith("oci") ? "oci" : "docker";
    const mode = progressMode(parsed.string("progress"), context.env);
    const compression = parsed.string("compression");
    const request = {
      images: parsed.positionals,
      platforms: parsed.list("platform"),
      format,
      output,
      ...(compression === undefined ? {} : { compression }),
    } as const;
    await withProgress(context, { mode, title: "Saving" }, (call) => engine.images.save({ ...request, ...call }));
  },
};
