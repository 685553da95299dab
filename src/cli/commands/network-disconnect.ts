// SPDX-License-Identifier: Apache-2.0
import type { CommandBody } from "../command.ts";

/** `tare network disconnect`. */
export const command: CommandBody = {
  usage: "[OPTIONS] NETWORK CONTAINER",
  count: { min: 2, max: 2 },
  options: [{ name: "force", short: "f", type: "boolean", description: "Accepted, as by Docker" }],
  complete: ["network", "container"],
  examples: [{ line: "tare network disconnect team web", text: "also while it runs" }],
  async run(context, parsed) {
    const { networks } = await context.engine();
    const [network = "", container = ""] = parsed.positionals;
    await networks.disconnect(network, container);
  },
};
