// SPDX-License-Identifier: Apache-2.0
import type { CommandBody } from "../command.ts";

/** `tare rename`. */
export const command: CommandBody = {
  usage: "CONTAINER NEW_NAME",
  count: { min: 2, max: 2 },
  options: [],
  complete: ["container", "none"],
  examples: [{ line: "tare rename elated_hopper web", text: "a name to remember" }],
  async run(context, parsed) {
    const engine = await context.engine();
    await engine.containers.rename(parsed.word(0), parsed.word(1));
  },
};
