// SPDX-License-Identifier: Apache-2.0
import { DETACH_KEYS_OPTION } from "../common-options.ts";
import { flagOfConfig } from "../container-config.ts";
import { oneValue } from "../flag-value.ts";
import { processIo } from "../process-io.ts";
import { parseDetachKeys } from "../../options/index.ts";
import type { CommandBody } from "../command.ts";
import type { InspectDocument } from "../../engine/index.ts";

/** `tare attach`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER",
  count: { min: 1, max: 1 },
  options: [
    DETACH_KEYS_OPTION,
    { name: "no-stdin", type: "boolean", description: "Do not pass the standard input on" },
    { name: "sig-proxy", type: "boolean", default: true, description: "Hand signals on to the process" },
  ],
  complete: ["running"],
  examples: [
    { line: "tare attach shell", text: "come back to a container that was left with ctrl-p ctrl-q" },
    { line: "tare attach --no-stdin training", text: "only watch" },
  ],
  async run(context, parsed) {
    const { containers } = await context.engine();
    const document = await containers.inspect(parsed.word(0));
    // Why it can't be attached to is of more use than that this is no terminal.
    if (!isRunning(document)) return void (await containers.attach(parsed.word(0), { stdout: 1, stderr: 2 }));
    const io = processIo(context, {
      interactive: flagOfConfig(document, "OpenStdin") && !parsed.boolean("no-stdin"),
      tty: flagOfConfig(document, "Tty"),
      proxy: parsed.boolean("sig-proxy"),
      detachKeys: oneValue(parsed, "detach-keys", parseDetachKeys),
    });
    const { exitCode, isDetached } = await containers.attach(parsed.word(0), io);
    if (isDetached) context.stderr.write("read escape sequence\n");
    return isDetached ? 1 : (exitCode ?? 0);
  },
};

function isRunning({ State: state }: InspectDocument): boolean {
  return typeof state === "object" && state !== null && "Running" in state && state.Running === true;
}
