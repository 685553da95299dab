// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../../base/index.ts";
import { forEachName } from "../each.ts";
import { errorText } from "../error-text.ts";
import type { CommandBody } from "../command.ts";

/** `tare rm`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  count: { min: 1 },
  options: [
    { name: "force", short: "f", type: "boolean", description: "Kill running containers; absent ones are no error" },
    { name: "volumes", short: "v", type: "boolean", description: "Remove their anonymous volumes too" },
    {
      name: "link",
      short: "l",
      type: "boolean",
      description: "Remove a link",
      unsupported: "links were replaced by networks",
    },
  ],
  complete: ["container"],
  examples: [
    { line: "tare rm web", text: "remove a stopped container" },
    { line: "tare rm -f $(tare ps -aq)", text: "remove all, also running ones" },
  ],
  async run(context, parsed) {
    const { containers } = await context.engine();
    const options = { force: parsed.boolean("force"), volumes: parsed.boolean("volumes") };
    return forEachName(context, parsed.positionals, async (name) => {
      try {
        await containers.remove(name, options);
        return name;
      } catch (error) {
        if (!options.force || !isTareError(error, "E_CONTAINER_NOTFOUND")) throw error;
        context.stderr.write(errorText(error, { color: context.stderr.color, debug: context.debug }));
        return undefined;
      }
    });
  },
};
