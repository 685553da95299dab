// SPDX-License-Identifier: Apache-2.0
import { readDataFile, readDataStream } from "../gpu-data-file.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import { usageError } from "../usage-error.ts";
import type { CommandBody } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { GpuDataChanged, GpuDataUpdateRequest } from "../../engine/index.ts";

/** `tare gpu data update`. */
export const command: CommandBody = {
  usage: "[OPTIONS] FILE|REFERENCE|-",
  description: [
    "Takes newer compatibility data: from a file, from the standard input (`-`), or from a registry as an artifact of type",
    "application/vnd.tare.gpu-data.v1+json. A word that names no file is a reference. The data is read as a whole first;",
    "what is malformed, of another schema or older changes nothing. A newer program with newer data wins over an update.",
  ].join(" "),
  count: { min: 0, max: 1 },
  complete: ["file"],
  options: [
    { name: "force", short: "f", type: "boolean", description: "Take older data too" },
    { name: "reset", type: "boolean", description: "Go back to the data that came with this program" },
    { name: "json", type: "boolean", description: "Print the data before and after as JSON" },
    PROGRESS_OPTION,
  ],
  examples: [
    { line: "tare gpu data update gpu-data.json", text: "from a file" },
    { line: "tare gpu data update registry.example.com/team/gpu-data:latest", text: "what the team shares" },
    { line: "tare gpu data update --reset", text: "what came with the program" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const [word] = parsed.positionals;
    const reset = parsed.boolean("reset");
    if ((word === undefined) !== reset) throw usageError("give either a file or reference, or `--reset`");
    const changed = reset || word === undefined ? await engine.gpuData.reset() : await updateFrom(word);
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(changed, undefined, 2)}\n`);
    context.stdout.write(changeText(changed));

    async function updateFrom(name: string): Promise<GpuDataChanged> {
      const source = await sourceOf(context, name);
      const mode = progressMode(parsed.string("progress"), context.env);
      return withProgress(context, { mode, title: "Updating" }, (call) =>
        engine.gpuData.update({ source, force: parsed.boolean("force"), ...call }),
      );
    }
  },
};

async function sourceOf(context: CommandContext, word: string): Promise<GpuDataUpdateRequest["source"]> {
  if (word === "-") return { kind: "bytes", bytes: await readDataStream(context.stdin()), name: "the standard input" };
  const bytes = readDataFile(context.cwd, word);
  return bytes === undefined ? { kind: "reference", reference: word } : { kind: "bytes", bytes, name: word };
}

function changeText({ before, after }: GpuDataChanged): string {
  const same = before.version === after.version && before.origin === after.origin;
  const was = same ? "" : `, was ${before.version}`;
  const origin = after.origin === "shipped" ? "came with this program" : `from ${after.from ?? ""}`;
  return `${after.version} of ${after.date}, ${origin}${was}\n`;
}
