// SPDX-License-Identifier: Apache-2.0
import { readDataFile, readDataStream } from "../gpu-data-file.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import { usageError } from "../usage-error.ts";
import type { CommandBody } from "../command.ts";
import type { CommandContext } from "../context.ts";

/** `tare gpu data push`. */
export const command: CommandBody = {
  usage: "[OPTIONS] REPOSITORY[:TAG] [FILE|-]",
  description: [
    "Shares compatibility data through any OCI registry, as an artifact that `tare gpu data update` takes: the data in use,",
    "or a file after it was checked. `oras push --artifact-type application/vnd.tare.gpu-data.v1+json REPOSITORY:TAG",
    "gpu-data.json:application/vnd.tare.gpu-data.v1+json` makes the same.",
  ].join(" "),
  count: { min: 1, max: 2 },
  complete: ["image", "file"],
  options: [{ name: "json", type: "boolean", description: "Print what was pushed as JSON" }, PROGRESS_OPTION],
  examples: [
    { line: "tare gpu data push registry.example.com/team/gpu-data:latest gpu-data.json", text: "for the team" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const [reference = "", word] = parsed.positionals;
    const bytes = word === undefined ? {} : { bytes: await bytesOf(context, word) };
    const mode = progressMode(parsed.string("progress"), context.env);
    const pushed = await withProgress(context, { mode, title: "Pushing" }, (call) =>
      engine.gpuData.push({ reference, ...bytes, ...call }),
    );
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(pushed, undefined, 2)}\n`);
    context.stdout.write(`${pushed.reference}: digest: ${pushed.digest} version: ${pushed.version}\n`);
  },
};

async function bytesOf(context: CommandContext, word: string): Promise<Buffer> {
  if (word === "-") return readDataStream(context.stdin());
  const bytes = readDataFile(context.cwd, word);
  if (bytes === undefined) throw usageError(`there is no file \`${word}\``);
  return bytes;
}
