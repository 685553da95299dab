// SPDX-License-Identifier: Apache-2.0
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare wheels pull`. */
export const command: CommandBody = {
  usage: "[OPTIONS] REPOSITORY[:TAG] [NAME[==VERSION]...]",
  description: [
    "Fetches wheels that others built, by default all for this platform. A build takes them in place of building the same",
    "sources. Which sources a wheel was built from is what its pusher says: pull only from repositories whose writers you",
    "trust, as with an index. What was built here is not replaced.",
  ].join(" "),
  count: { min: 1 },
  options: [
    { name: "platform", type: "string", description: "Platform of the wheels, as in `linux/arm64`, or `all`" },
    { name: "json", type: "boolean", description: "Print what was pulled as JSON" },
    PROGRESS_OPTION,
  ],
  examples: [{ line: "tare wheels pull registry.example.com/team/wheels", text: "nothing has to be compiled here" }],
  async run(context, parsed) {
    const [repository = "", ...names] = parsed.positionals;
    const engine = await context.engine();
    const mode = progressMode(parsed.string("progress"), context.env);
    const platform = parsed.string("platform");
    const request = { repository, names, ...(platform === undefined ? {} : { platform }) };
    const pulled = await withProgress(context, { mode, title: "Pulling" }, (call) =>
      engine.wheels.pull({ ...request, ...call }),
    );
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(pulled, undefined, 2)}\n`);
    const { wheels, others } = pulled;
    const more = others === 0 ? "" : `${others} for other platforms were left; \`--platform all\` takes them\n`;
    context.stdout.write(`${wheels.map(({ fileName }) => `${fileName}\n`).join("")}${more}`);
  },
};
