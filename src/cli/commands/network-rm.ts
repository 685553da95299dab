// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../../base/index.ts";
import { forEachName } from "../each.ts";
import { errorText } from "../error-text.ts";
import type { CommandBody } from "../command.ts";

/** `tare network rm`. */
export const command: CommandBody = {
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  count: { min: 1 },
  options: [{ name: "force", short: "f", type: "boolean", description: "Absent ones are no error" }],
  complete: ["network"],
  examples: [{ line: "tare network rm team", text: "once no container is in it" }],
  async run(context, parsed) {
    const { networks } = await context.engine();
    return forEachName(context, parsed.positionals, async (name) => {
      try {
        await networks.remove(name);
        return name;
      } catch (error) {
        if (!parsed.boolean("force") || !isTareError(error, "E_NETWORK_NOTFOUND")) throw error;
        context.stderr.write(errorText(error, { color: context.stderr.color, debug: context.debug }));
        return undefined;
      }
    });
  },
};
