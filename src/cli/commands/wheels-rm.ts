// SPDX-License-Identifier: Apache-2.0
import { humanSize } from "../text/human.ts";
import type { CommandBody } from "../command.ts";

/** `tare wheels rm`. */
export const command: CommandBody = {
  usage: "NAME[==VERSION] [NAME...]",
  description: "Removes wheels and sources that no layer is made of, and what nothing needs any more.",
  count: { min: 1 },
  options: [{ name: "json", type: "boolean", description: "Print what was removed as JSON" }],
  examples: [{ line: "tare wheels rm flash-attn==2.8.3", text: "the next build compiles it again" }],
  async run(context, parsed) {
    const { wheels } = await context.engine();
    const removed = await wheels.remove(parsed.positionals);
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(removed, undefined, 2)}\n`);
    const lines = removed.wheels.map(({ fileName }) => `Deleted: ${fileName}\n`);
    context.stdout.write(`${lines.join("")}Total reclaimed space: ${humanSize(removed.reclaimed)}\n`);
  },
};
