// SPDX-License-Identifier: Apache-2.0
import { messageOf } from "../../base/index.ts";
import { escapeLine } from "../text/escape.ts";
import type { CommandBody } from "../command.ts";

/** `tare system boot`. */
export const command: CommandBody = {
  usage: "[OPTIONS]",
  description:
    "What the service of `tare system service` calls. Names are printed as containers have been started; a second call in the same boot starts only what `--stop` has stopped.",
  count: { min: 0, max: 0 },
  options: [
    { name: "stop", type: "boolean", description: "Stop them for the end of the machine; the next boot starts them" },
  ],
  examples: [{ line: "tare system boot", text: "without systemd: from `@reboot` of crontab" }],
  async run(context, parsed) {
    const { boot } = await context.engine();
    const { done, failed } = parsed.boolean("stop") ? await boot.stop() : await boot.start();
    for (const name of done) context.stdout.write(`${name}\n`);
    for (const { name, error } of failed) context.stderr.write(`${escapeLine(`${name}: ${messageOf(error)}`)}\n`);
    return failed.length > 0 ? 1 : 0;
  },
};
