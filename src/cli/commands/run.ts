// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import { CREATE_OPTIONS } from "../create-options.ts";
import { DETACH_KEYS_OPTION } from "../common-options.ts";
import { createRequest } from "../create-request.ts";
import { DEVELOP_OPTIONS, developed } from "../develop-run.ts";
import { oneValue } from "../flag-value.ts";
import { parseDetachKeys, resolveAttach } from "../../options/index.ts";
import { WATCH_OPTIONS, runWatched } from "../watch-run.ts";
import { notePublished } from "../publish-note.ts";
import { processIo } from "../process-io.ts";
import { hintAtReboot } from "../reboot-hint.ts";
import { pullProgress } from "../pull-progress.ts";
import type { CommandBody } from "../command.ts";

/** `tare run`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  count: { min: 1 },
  stopAtPositional: true,
  failureCode: 125,
  options: [
    ...CREATE_OPTIONS,
    { name: "detach", short: "d", type: "boolean", description: "Run in the background and print the id" },
    { name: "rm", type: "boolean", description: "Remove the container and its anonymous volumes when it ends" },
    ...DEVELOP_OPTIONS,
    { name: "attach", short: "a", type: "list", description: "Attach only to `stdin`, `stdout` or `stderr`" },
    DETACH_KEYS_OPTION,
    ...WATCH_OPTIONS,
    { name: "sig-proxy", type: "boolean", default: true, description: "Hand signals on to the process" },
  ],
  complete: ["image", "none"],
  examples: [
    { line: "tare run --rm hello", text: "run an image's program and clean up after it" },
    { line: "tare run -it --rm -v .:/work -w /work python:3.11-slim bash", text: "a shell with this folder inside" },
    { line: "tare run --debug -v .:/app app", text: "a Python program under debugpy; prints how to attach" },
    { line: "tare run --rm --watch app", text: "with this folder as its sources; starts anew when they change" },
    { line: "tare run --rm --notebook python:3.11-slim", text: "JupyterLab on this folder; prints the address" },
    { line: "tare run -d --name training -m 8g --cpus 4 trainer", text: "in the background, with limits" },
  ],
  async run(context, parsed) {
    const detach = parsed.boolean("detach");
    const autoRemove = parsed.boolean("rm");
    const asked = { ...createRequest(context, parsed), autoRemove, listener: pullProgress(context) };
    const request = await developed(context, parsed, asked);
    if (parsed.given("watch") || parsed.boolean("build")) return await runWatched(context, parsed, request);
    const { interactive, tty } = request;
    const attached = resolveAttach({ attach: parsed.list("attach"), interactive, detach });
    const detachKeys = oneValue(parsed, "detach-keys", parseDetachKeys);
    const proxy = parsed.boolean("sig-proxy");
    const io = detach
      ? "detached"
      : processIo(context, { interactive: attached.stdin, tty, proxy, detachKeys, outputs: attached });
    const engine = await context.engine();
    await hintAtReboot(context, engine, request.restart?.name);
    await notePublished(context, request.network);
    if (context.signal.aborted) throw new TareError("E_ABORTED", "running: interrupted", { exitCode: 130 });
    const { id, exitCode } = await engine.containers.run(request, io);
    if (detach) context.stdout.write(`${id}\n`);
    return exitCode ?? 0;
  },
};
