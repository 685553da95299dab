// SPDX-License-Identifier: Apache-2.0
import { defined } from "../flag-value.ts";
import { endedByProgram, processIo } from "../process-io.ts";
import { usageError } from "../usage-error.ts";
import { pullProgress } from "../pull-progress.ts";
import type { CommandBody } from "../command.ts";

/** `tare debug`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER|IMAGE [COMMAND] [ARG...]",
  description: [
    "Opens a shell with tools in a container that may have none, such as one made `FROM scratch`. It joins the container's",
    "processes, network and host name. With this machine's busybox (the default) the container's files are at `/`; with",
    "`--image` that image is at `/` and the container's files at `/target`. Of a stopped container and of an image, changes",
    "are dropped; of a running one they are the container's. The tools leave nothing behind.",
  ].join(" "),
  count: { min: 1 },
  stopAtPositional: true,
  options: [
    { name: "command", short: "c", type: "string", description: "Run this line in the shell and end" },
    {
      name: "image",
      type: "string",
      description: "Image with the tools; default: `debug.image` of the settings, else busybox of this machine",
      complete: "image",
    },
    { name: "privileged", type: "boolean", description: "All capabilities, no filter of system calls" },
    { name: "user", short: "u", type: "string", valueName: "uid[:gid]", default: "0", description: "Who to be" },
  ],
  complete: ["container", "none"],
  examples: [
    { line: "tare debug web", text: "a shell in a container without one" },
    { line: "tare debug -c 'netstat -ltn; ps' web", text: "what listens in it, and what runs" },
    {
      line: "tare debug --image debian:bookworm-slim web",
      text: "with the tools of an image; the container is at /target",
    },
    { line: "tare debug python:3.11-slim", text: "look around in an image" },
  ],
  async run(context, parsed) {
    const [subject = "", ...words] = parsed.positionals;
    const line = parsed.string("command");
    const isShell = line === undefined && words.length === 0;
    const tty = isShell && context.stdinIsTerminal && context.stdout.isTerminal;
    const io = processIo(context, { interactive: isShell, tty, proxy: true });
    const request = {
      subject,
      command: line === undefined ? words : ["sh", "-c", line, ...words],
      tty,
      user: userOf(parsed.string("user") ?? "0"),
      privileged: parsed.boolean("privileged"),
      listener: pullProgress(context),
      ...defined({ image: parsed.string("image") }),
    };
    const { develop } = await context.engine();
    return await endedByProgram(context, () => develop.shell(request, io));
  },
};

function userOf(text: string): { readonly uid: number; readonly gid: number } {
  const [, uid, gid = uid] = /^(\d{1,9})(?::(\d{1,9}))?$/.exec(text) ?? [];
  if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  throw usageError(`invalid argument "${text}" for "-u, --user" flag: expected numbers, as in 1000 or 1000:1000`);
}
