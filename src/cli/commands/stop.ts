// SPDX-License-Identifier: Apache-2.0
import { STOP_OPTIONS } from "../common-options.ts";
import { forEachNameAtOnce } from "../each.ts";
import { stopOptions } from "../stop-options.ts";
import type { CommandBody } from "../command.ts";

/** `tare stop`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  count: { min: 1 },
  options: STOP_OPTIONS,
  complete: ["running"],
  examples: [{ line: "tare stop -t 30 web", text: "end it, with 30 seconds for tidying up" }],
  async run(context, parsed) {
    const { containers } = await context.engine();
    const options = stopOptions(parsed);
    return forEachNameAtOnce(context, parsed.positionals, async (name) => {
      await containers.stop(name, options);
      return name;
    });
  },
};
