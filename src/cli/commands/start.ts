// SPDX-License-Identifier: Apache-2.0
import { DETACH_KEYS_OPTION } from "../common-options.ts";
import { flagOfConfig } from "../container-config.ts";
import { oneValue } from "../flag-value.ts";
import { parseDetachKeys } from "../../options/index.ts";
import { forEachName } from "../each.ts";
import { usageError } from "../usage-error.ts";
import { processIo } from "../process-io.ts";
import type { CommandBody } from "../command.ts";

/** `tare start`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  count: { min: 1 },
  options: [
    { name: "attach", short: "a", type: "boolean", description: "Stay with it: output, signals and exit code" },
    { name: "interactive", short: "i", type: "boolean", description: "Pass the standard input on; implies --attach" },
    DETACH_KEYS_OPTION,
  ],
  complete: ["container"],
  examples: [
    { line: "tare start web", text: "start it again in the background" },
    { line: "tare start -ai shell", text: "start it again and work in it" },
  ],
  async run(context, parsed) {
    const { containers } = await context.engine();
    if (!parsed.boolean("attach") && !parsed.boolean("interactive"))
      return forEachName(context, parsed.positionals, async (name) => {
        await containers.start(name);
        return name;
      });
    if (parsed.positionals.length > 1) throw usageError("you can attach to one container only");
    const document = await containers.inspect(parsed.word(0));
    const interactive = parsed.boolean("interactive");
    const detachKeys = oneValue(parsed, "detach-keys", parseDetachKeys);
    const io = processIo(context, { interactive, tty: flagOfConfig(document, "Tty"), proxy: true, detachKeys });
    return (await containers.start(parsed.word(0), io)).exitCode ?? 0;
  },
};
