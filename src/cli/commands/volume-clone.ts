// SPDX-License-Identifier: Apache-2.0
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare volume clone`. */
export const command: CommandBody = {
  usage: "[OPTIONS] SOURCE VOLUME",
  description: [
    "Makes a volume that holds exactly what another does, labels too. Where the file system can (btrfs, XFS), they share",
    "the disk until one of them changes.",
  ].join(" "),
  count: { min: 2, max: 2 },
  options: [
    {
      name: "pause",
      type: "boolean",
      description: "Containers that run with the source stand still meanwhile: all files are of one moment",
    },
    PROGRESS_OPTION,
  ],
  complete: ["volume", "none"],
  examples: [{ line: "tare volume clone db db-before-upgrade", text: "a copy to come back to" }],
  async run(context, parsed) {
    const [from = "", to = ""] = parsed.positionals;
    const engine = await context.engine();
    const mode = progressMode(parsed.string("progress"), context.env);
    await withProgress(context, { mode, title: "Cloning" }, (call) =>
      engine.volumes.clone({ from, to, pause: parsed.boolean("pause"), ...call }),
    );
    context.stdout.write(`${to}\n`);
  },
};
