// SPDX-License-Identifier: Apache-2.0
import { byteSource } from "../byte-io.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare load`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description: "Reads Docker archives and OCI layouts (a tar, also compressed, or a folder).",
  count: { min: 0, max: 0 },
  options: [
    {
      name: "input",
      short: "i",
      type: "string",
      description: "File or folder; default: the standard input",
      complete: "file",
    },
    { name: "platform", type: "list", description: "Platforms to load; default: all" },
    { name: "quiet", short: "q", type: "boolean", description: "No progress" },
    { name: "json", type: "boolean", description: "Print what was loaded as JSON" },
    PROGRESS_OPTION,
  ],
  examples: [
    { line: "tare load -i hello.tar", text: "from a file" },
    { line: "docker save python:3.11-slim | tare load", text: "out of Docker" },
  ],
  async run(context, parsed) {
    const input = byteSource(context, parsed.string("input"));
    const engine = await context.engine();
    const mode = parsed.boolean("quiet") ? "quiet" : progressMode(parsed.string("progress"), context.env);
    const request = { input, platforms: parsed.list("platform") };
    const loaded = await withProgress(context, { mode, title: "Loading" }, (call) =>
      engine.images.load({ ...request, ...call }),
    );
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(loaded, undefined, 2)}\n`);
    const lines = loaded.map(({ name, id }) => (name ? `Loaded image: ${name}\n` : `Loaded image ID: ${id}\n`));
    context.stdout.write(lines.join(""));
  },
};
