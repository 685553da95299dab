// SPDX-License-Identifier: Apache-2.0
import { forEachName } from "../each.ts";
import type { CommandBody } from "../command.ts";

/** `tare wait`. */
export const command: CommandBody = {
  usage: "CONTAINER [CONTAINER...]",
  count: { min: 1 },
  options: [],
  complete: ["container"],
  examples: [{ line: "tare wait training", text: "wait for the end and print the exit code" }],
  async run(context, parsed) {
    const { containers } = await context.engine();
    return forEachName(context, parsed.positionals, async (name) =>
      String(await containers.wait(name, context.signal)),
    );
  },
};
