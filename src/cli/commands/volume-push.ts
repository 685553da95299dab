// SPDX-License-Identifier: Apache-2.0
import { humanSize } from "../text/human.ts";
import { PAUSE_OPTION } from "../volume-options.ts";
import { volumeRemarks } from "../volume-remarks.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare volume push`. */
export const command: CommandBody = {
  usage: "[OPTIONS] VOLUME REPOSITORY[:TAG]",
  description: [
    "Sends a volume to any OCI registry, as an artifact of type application/vnd.tare.volume.v1+json. It is cut into chunks",
    "by its files, so that a later push of the volume sends the chunks only in which something changed.",
  ].join(" "),
  count: { min: 2, max: 2 },
  options: [
    PAUSE_OPTION,
    { name: "json", type: "boolean", description: "Print what was pushed as JSON" },
    PROGRESS_OPTION,
  ],
  complete: ["volume", "none"],
  examples: [{ line: "tare volume push models registry.example.com/team/models:v2", text: "weights for the team" }],
  async run(context, parsed) {
    const [name = "", repository = ""] = parsed.positionals;
    const engine = await context.engine();
    const mode = progressMode(parsed.string("progress"), context.env);
    const pushed = await withProgress(context, { mode, title: "Pushing" }, (call) =>
      engine.volumes.push({ name, repository, pause: parsed.boolean("pause"), ...call }),
    );
    context.stderr.write(volumeRemarks(pushed));
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(pushed, undefined, 2)}\n`);
    const { digest, chunks, sent, sentBytes } = pushed;
    const parts = `${sent} of ${chunks} chunks sent, ${humanSize(sentBytes)}`;
    context.stdout.write(`${pushed.repository}: digest: ${digest} files: ${humanSize(pushed.bytes)} (${parts})\n`);
  },
};
