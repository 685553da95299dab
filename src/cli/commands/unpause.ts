// SPDX-License-Identifier: Apache-2.0
import { forEachName } from "../each.ts";
import type { CommandBody } from "../command.ts";

/** `tare unpause`. */
export const command: CommandBody = {
  usage: "CONTAINER [CONTAINER...]",
  count: { min: 1 },
  options: [],
  complete: ["container"],
  examples: [{ line: "tare unpause training", text: "go on" }],
  async run(context, parsed) {
    const { containers } = await context.engine();
    return forEachName(context, parsed.positionals, async (name) => {
      await containers.unpause(name);
      return name;
    });
  },
};
