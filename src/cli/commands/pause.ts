// SPDX-License-Identifier: Apache-2.0
import { forEachName } from "../each.ts";
import type { CommandBody } from "../command.ts";

/** `tare pause`. */
export const command: CommandBody = {
  usage: "CONTAINER [CONTAINER...]",
  count: { min: 1 },
  options: [],
  complete: ["running"],
  examples: [{ line: "tare pause training", text: "give the machine to something else for a while" }],
  async run(context, parsed) {
    const { containers } = await context.engine();
    return forEachName(context, parsed.positionals, async (name) => {
      await containers.pause(name);
      return name;
    });
  },
};
