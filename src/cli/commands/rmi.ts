// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../../base/index.ts";
import { forEachName } from "../each.ts";
import { removalText } from "../removal-text.ts";
import type { CommandBody } from "../command.ts";

/** `tare rmi`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  count: { min: 1 },
  options: [
    {
      name: "force",
      short: "f",
      type: "boolean",
      description: "Remove it with all its names; absent ones are no error",
    },
    { name: "no-prune", type: "boolean", description: "Keep untagged parents" },
  ],
  complete: ["image"],
  examples: [{ line: "tare rmi hello:old", text: "remove a name, and the image with its last name" }],
  async run(context, parsed) {
    const { images } = await context.engine();
    const options = { force: parsed.boolean("force"), prune: !parsed.boolean("no-prune") };
    return forEachName(context, parsed.positionals, async (name) => {
      try {
        const report = await images.remove(name, options);
        context.stdout.write(removalText(report.entries));
      } catch (error) {
        if (!options.force || !isTareError(error, "E_IMAGE_NOTFOUND")) throw error;
      }
      return undefined;
    });
  },
};
