// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import { forEachName } from "../each.ts";
import { hintAtReboot } from "../reboot-hint.ts";
import { RESTART_OPTION, restartPolicy } from "../restart-option.ts";
import { UPDATE_OPTIONS, limitChanges } from "../limit-options.ts";
import type { CommandBody } from "../command.ts";

const OPTIONS = [...UPDATE_OPTIONS, RESTART_OPTION];

/** `tare update`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  description: "A running container gets the new limits at once and keeps them when it is started again.",
  count: { min: 1 },
  options: OPTIONS,
  complete: ["container"],
  examples: [
    { line: "tare update -m 16g --memory-swap 16g --cpus 8 training", text: "more room for a running container" },
  ],
  async run(context, parsed) {
    if (!OPTIONS.some(({ name }) => parsed.given(name))) {
      throw new TareError("E_USAGE", "you must provide one or more flags when using this command");
    }
    const changes = limitChanges(parsed);
    const policy = restartPolicy(parsed);
    const engine = await context.engine();
    const { containers } = engine;
    return forEachName(context, parsed.positionals, async (name) => {
      if (policy) await containers.setRestartPolicy(name, policy);
      await hintAtReboot(context, engine, policy?.name);
      await containers.update(name, changes, (text) => context.stderr.write(`WARNING: ${text}\n`));
      return name;
    });
  },
};
