// SPDX-License-Identifier: Apache-2.0
import { forEachNameAtOnce } from "../each.ts";
import type { CommandBody } from "../command.ts";

/** `tare kill`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  count: { min: 1 },
  options: [{ name: "signal", short: "s", type: "string", default: "KILL", description: "Signal to send" }],
  complete: ["running"],
  examples: [{ line: "tare kill -s HUP web", text: "let it read its settings again" }],
  async run(context, parsed) {
    const { containers } = await context.engine();
    const signal = parsed.string("signal") ?? "KILL";
    return forEachNameAtOnce(context, parsed.positionals, async (name) => {
      await containers.kill(name, signal);
      return name;
    });
  },
};
