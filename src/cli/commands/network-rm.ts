// SPDX-License-Identifier: Apache-2.0
import { forEachName, removal } from "../each.ts";
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
    const tolerated = { force: parsed.boolean("force"), absent: "E_NETWORK_NOTFOUND" } as const;
    const remove = removal(context, tolerated, (name) => networks.remove(name));
    return forEachName(context, parsed.positionals, remove);
  },
};
