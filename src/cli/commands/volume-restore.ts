// SPDX-License-Identifier: Apache-2.0
import { byteSource } from "../byte-io.ts";
import { humanSize } from "../text/human.ts";
import { REPLACE_OPTION } from "../volume-options.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare volume restore`. */
export const command: CommandBody = {
  usage: "[OPTIONS] VOLUME [FILE...]",
  description: [
    "Makes a volume of a backup, exactly as it was. It is unpacked beside and becomes the volume at once, when all",
    "digests are right; an interrupted restore leaves nothing. Incremental backups come after the full one they go on from.",
  ].join(" "),
  count: { min: 1 },
  options: [
    REPLACE_OPTION,
    { name: "json", type: "boolean", description: "Print what was restored as JSON" },
    PROGRESS_OPTION,
  ],
  complete: ["volume", "file"],
  examples: [
    { line: "tare volume restore models < models.backup", text: "from a file" },
    { line: "tare volume restore db sunday.backup monday.backup", text: "a full backup and what changed since" },
  ],
  async run(context, parsed) {
    const [name = "", ...files] = parsed.positionals;
    const inputs =
      files.length === 0 ? [byteSource(context, undefined)] : files.map((file) => byteSource(context, file));
    const engine = await context.engine();
    const mode = progressMode(parsed.string("progress"), context.env);
    const restored = await withProgress(context, { mode, title: "Restoring" }, (call) =>
      engine.volumes.restore({ name, inputs, force: parsed.boolean("force"), ...call }),
    );
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(restored, undefined, 2)}\n`);
    context.stdout.write(`${name}: ${restored.entries} entries, ${humanSize(restored.bytes)} of files\n`);
  },
};
