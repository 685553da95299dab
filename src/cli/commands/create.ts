// SPDX-License-Identifier: Apache-2.0
import { CREATE_OPTIONS } from "../create-options.ts";
import { createRequest } from "../create-request.ts";
import { hintAtReboot } from "../reboot-hint.ts";
import { pullProgress } from "../pull-progress.ts";
import type { CommandBody } from "../command.ts";

/** `tare create`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  count: { min: 1 },
  stopAtPositional: true,
  options: [
    ...CREATE_OPTIONS,
    { name: "rm", type: "boolean", description: "Remove the container and its anonymous volumes when it ends" },
  ],
  complete: ["image", "none"],
  examples: [{ line: "tare create --name web hello", text: "make it now and `tare start web` it later" }],
  async run(context, parsed) {
    const listener = pullProgress(context);
    const request = { ...createRequest(context, parsed), autoRemove: parsed.boolean("rm"), listener };
    const engine = await context.engine();
    await hintAtReboot(context, engine, request.restart?.name);
    const { id } = await engine.containers.create(request);
    context.stdout.write(`${id}\n`);
  },
};
