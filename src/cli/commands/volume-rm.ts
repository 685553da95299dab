// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../../base/index.ts";
import { forEachName } from "../each.ts";
import type { CommandBody } from "../command.ts";

/** `tare volume rm`. */
export const command: CommandBody = {
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  description: "Removes volumes and all that is in them. One that a container has, running or not, is refused.",
  count: { min: 1 },
  options: [{ name: "force", short: "f", type: "boolean", description: "Absent volumes are no error" }],
  complete: ["volume"],
  examples: [{ line: "tare volume rm scratch", text: "remove a volume" }],
  async run(context, parsed) {
    const { volumes } = await context.engine();
    return forEachName(context, parsed.positionals, async (name) => {
      try {
        await volumes.remove(name);
      } catch (error) {
        if (!parsed.boolean("force") || !isTareError(error, "E_VOLUME_NOTFOUND")) throw error;
      }
      return name;
    });
  },
};
