// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import { forEachName } from "../each.ts";
import { UPDATE_OPTIONS, limitChanges } from "../limit-options.ts";
import type { CommandBody } from "../command.ts";

/** `tare update`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  description: "A running container gets the new limits at once and keeps them when it is started again.",
  count: { min: 1 },
  options: UPDATE_OPTIONS,
  complete: ["container"],
  examples: [
    { line: "tare update -m 16g --memory-swap 16g --cpus 8 training", text: "more room for a running container" },
  ],
  async run(context, parsed) {
    if (!UPDATE_OPTIONS.some(({ name }) => parsed.given(name))) {
      throw new TareError("E_USAGE", "you must provide one or more flags when using this command");
    }
    const changes = limitChanges(parsed);
    const { containers } = await context.engine();
    return forEachName(context, parsed.positionals, async (name) => {
      await containers.update(name, changes, (text) => context.stderr.write(`WARNING: ${text}\n`));
      return name;
    });
  },
};
