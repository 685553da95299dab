// SPDX-License-Identifier: Apache-2.0
/* `run --watch`: what is told while it goes on, and the end that the user wants. */
import { loadCommand } from "./command.ts";
import { parseArguments } from "./parsed.ts";
import { processIo } from "./process-io.ts";
import { usageError } from "./usage-error.ts";
import type { CreateRequest, WatchEvent } from "../engine/index.ts";
import type { OptionSpec } from "./command.ts";
import type { CommandContext } from "./context.ts";
import type { ParsedArguments } from "./parsed.ts";

/** Flags of `run` for watched sources. */
export const WATCH_OPTIONS: readonly OptionSpec[] = [
  {
    name: "watch",
    type: "string",
    valueName: "src:dst",
    optional: { bare: "", value: /^[^-].*:\/./ },
    description: "Mount the sources (this folder over WORKDIR) and start anew when they change",
  },
  { name: "build", type: "boolean", description: "With `--watch`: build the image when what it is made of changes" },
];

/** Runs until the user interrupts; the exit code of the program's last run. */
export async function runWatched(
  context: CommandContext,
  parsed: ParsedArguments,
  request: CreateRequest,
): Promise<number> {
  if (!parsed.given("watch")) throw usageError("`--build` is for `--watch`");
  if (parsed.boolean("detach")) throw usageError("`--watch` and `--detach` exclude each other");
  const { interactive, tty, image } = request;
  const place = parsed.string("watch") || undefined;
  const io = processIo(context, { interactive, tty, proxy: true });
  const [end, kill] = [new AbortController(), new AbortController()];
  const stop = context.forwardSignals((signal) => {
    if (signal !== "SIGINT" && signal !== "SIGTERM" && signal !== "SIGHUP") return;
    if (end.signal.aborted) kill.abort();
    end.abort();
  });
  const rebuild = parsed.boolean("build") ? { rebuild: () => build(context, image) } : {};
  const onEvent = (event: WatchEvent): void => context.stderr.write(`tare: ${eventText(event, image)}\n`);
  const { develop } = await context.engine();
  try {
    const call = { onEvent, end: end.signal, kill: kill.signal, ...rebuild };
    return await develop.watch(request, place === undefined ? call : { ...call, place }, io);
  } finally {
    stop();
  }
}

async function build(context: CommandContext, image: string): Promise<void> {
  const spec = await loadCommand({
    name: "build",
    aliases: [],
    group: "main",
    summary: "",
    load: () => import("./commands/build.ts"),
  });
  await spec.run(context, parseArguments("build", spec, ["-t", image, "."]));
}

function eventText(event: WatchEvent, image: string): string {
  switch (event.kind) {
    case "watching":
      return `watching ${event.root} (${event.folders} ${event.folders === 1 ? "folder" : "folders"}); Ctrl-C ends`;
    case "changed":
      return `${pathsText(event.paths)} changed: starting anew`;
    case "ended":
      return `the program has ended with exit code ${event.exitCode}: waiting for a change`;
    case "outdated":
      return event.builds
        ? `${pathsText(event.paths)} changed: building ${image}`
        : `${pathsText(event.paths)} changed, the image did not: build it with \`tare build -t ${image} .\`, or use \`--watch --build\``;
    case "failed":
      return `building failed, the old image stays: ${event.message}`;
  }
}

function pathsText(paths: readonly string[]): string {
  const [first = ""] = paths;
  return paths.length < 2 ? first : `${first} and ${paths.length - 1} more`;
}
