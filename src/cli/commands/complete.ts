// SPDX-License-Identifier: Apache-2.0
import { complete } from "../completion.ts";
import type { CommandBody } from "../command.ts";

/** `tare __complete -- WORDS…`: a line `value<tab>description` for each candidate; silent about every failure. */
export const command: CommandBody = {
  usage: "-- [WORD...]",
  count: { min: 0 },
  stopAtPositional: true,
  options: [],
  examples: [],
  async run(context, parsed) {
    const found = await complete(parsed.positionals, () => context.engine()).catch(() => []);
    context.stdout.write(found.map(({ value, text }) => `${value}\t${text}\n`).join(""));
  },
};
