// SPDX-License-Identifier: Apache-2.0
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare wheels push`. */
export const command: CommandBody = {
  usage: "[OPTIONS] REPOSITORY[:TAG] [NAME[==VERSION]...]",
  description: [
    "Shares wheels that were built here from sources, by default all of them, through any OCI registry: one artifact of",
    "type application/vnd.tare.wheels.v1+json whose layers are the wheels. The set at the tag grows; what the registry",
    "has is not sent. Other tools (oras) fetch the wheels by their file names.",
  ].join(" "),
  count: { min: 1 },
  options: [{ name: "json", type: "boolean", description: "Print what was pushed as JSON" }, PROGRESS_OPTION],
  examples: [
    { line: "tare wheels push registry.example.com/team/wheels flash-attn", text: "one package, built once" },
    { line: "tare wheels push localhost:5000/wheels:cu128", text: "all that were built here" },
  ],
  async run(context, parsed) {
    const [repository = "", ...names] = parsed.positionals;
    const engine = await context.engine();
    const mode = progressMode(parsed.string("progress"), context.env);
    const pushed = await withProgress(context, { mode, title: "Pushing" }, (call) =>
      engine.wheels.push({ repository, names, ...call }),
    );
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(pushed, undefined, 2)}\n`);
    const lines = pushed.wheels.map(({ fileName }) => `${fileName}\n`).join("");
    context.stdout.write(`${lines}${pushed.repository}: digest: ${pushed.digest} wheels: ${pushed.total}\n`);
  },
};
