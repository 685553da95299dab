// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ioError } from "../../base/index.ts";
import { parseEnv, parseEnvFile } from "../../options/index.ts";
import { allValues, defined } from "../flag-value.ts";
import { endedByProgram, processIo } from "../process-io.ts";
import type { CommandBody } from "../command.ts";
import type { ExecRequest } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare exec`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
  count: { min: 2 },
  stopAtPositional: true,
  options: [
    { name: "detach", short: "d", type: "boolean", description: "Do not wait for it" },
    {
      name: "detach-keys",
      type: "string",
      description: "Not supported",
      unsupported: "the streams of a process are those of the command; `exec -d` does not wait for it",
    },
    { name: "env", short: "e", type: "list", description: "Set an environment variable" },
    { name: "env-file", type: "list", description: "Read environment variables from a file", complete: "file" },
    { name: "interactive", short: "i", type: "boolean", description: "Pass the standard input on" },
    { name: "privileged", type: "boolean", description: "Give the process all capabilities" },
    { name: "tty", short: "t", type: "boolean", description: "Give it a terminal" },
    { name: "user", short: "u", type: "string", description: "User name or id, perhaps with `:group`" },
    { name: "workdir", short: "w", type: "string", description: "Working directory in the container" },
  ],
  complete: ["running", "none"],
  examples: [
    { line: "tare exec -it web bash", text: "look around in a running container" },
    { line: "tare exec web python -c 'import torch; print(torch.__version__)'", text: "run one thing" },
  ],
  async run(context, parsed) {
    const request = requestOf(context, parsed);
    const { interactive, tty } = request;
    const io = processIo(context, { interactive, tty, proxy: true });
    const { containers } = await context.engine();
    return await endedByProgram(context, () => containers.exec(request, io));
  },
};

function requestOf(context: CommandContext, parsed: ParsedArguments): ExecRequest {
  const [container = "", ...words] = parsed.positionals;
  return {
    container,
    command: words,
    interactive: parsed.boolean("interactive"),
    tty: parsed.boolean("tty"),
    detach: parsed.boolean("detach"),
    env: [
      ...parsed.list("env-file").flatMap((path) => readEnvFile(context, path)),
      ...allValues(parsed, "env", (text) => parseEnv(text, context.env)),
    ],
    privileged: parsed.boolean("privileged"),
    ...defined({ workdir: parsed.string("workdir"), user: parsed.string("user") }),
  };
}

function readEnvFile(context: CommandContext, path: string): readonly string[] {
  try {
    return parseEnvFile(readFileSync(resolve(context.cwd, path)), context.env);
  } catch (error) {
    throw ioError(`reading \`${path}\``, error);
  }
}
