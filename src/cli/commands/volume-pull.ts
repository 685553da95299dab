// SPDX-License-Identifier: Apache-2.0
import { humanSize } from "../text/human.ts";
import { REPLACE_OPTION } from "../volume-options.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare volume pull`. */
export const command: CommandBody = {
  usage: "[OPTIONS] REPOSITORY[:TAG] [VOLUME]",
  description: [
    "Makes a volume of one that `volume push` sent, under the name that it had there or another. It becomes the volume at",
    "once, when all digests are right; an interrupted pull leaves nothing.",
  ].join(" "),
  count: { min: 1, max: 2 },
  options: [
    REPLACE_OPTION,
    { name: "json", type: "boolean", description: "Print what was pulled as JSON" },
    PROGRESS_OPTION,
  ],
  complete: ["none", "volume"],
  examples: [{ line: "tare volume pull registry.example.com/team/models:v2", text: "the team's weights" }],
  async run(context, parsed) {
    const [repository = "", name] = parsed.positionals;
    const engine = await context.engine();
    const mode = progressMode(parsed.string("progress"), context.env);
    const pulled = await withProgress(context, { mode, title: "Pulling" }, (call) =>
      engine.volumes.pull({
        repository,
        force: parsed.boolean("force"),
        ...(name === undefined ? {} : { name }),
        ...call,
      }),
    );
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(pulled, undefined, 2)}\n`);
    context.stdout.write(`${pulled.name}: ${pulled.entries} entries, ${humanSize(pulled.bytes)} of files\n`);
  },
};
