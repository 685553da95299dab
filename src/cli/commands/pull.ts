// SPDX-License-Identifier: Apache-2.0
import { PLATFORM_OPTION, SIGNATURE_POLICY_OPTION } from "../common-options.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { PullRequest, PulledTag } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare pull`. */
export const command: CommandBody = {
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  description: "What the store has is not fetched again; a transfer that breaks goes on where it broke.",
  count: { min: 1, max: 1 },
  options: [
    { name: "all-tags", short: "a", type: "boolean", description: "Pull all tags of the repository" },
    { name: "json", type: "boolean", description: "Print what was pulled as JSON" },
    PLATFORM_OPTION,
    SIGNATURE_POLICY_OPTION,
    { name: "quiet", short: "q", type: "boolean", description: "Print the name only" },
    { name: "disable-content-trust", type: "boolean", description: "Ignored", hidden: true },
    PROGRESS_OPTION,
  ],
  complete: ["image"],
  examples: [
    { line: "tare pull python:3.11-slim", text: "from Docker Hub" },
    { line: "tare pull --platform linux/arm64 localhost:5000/app:1", text: "for another machine" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const mode = parsed.boolean("quiet") ? "quiet" : progressMode(parsed.string("progress"), context.env);
    const request = requestOf(parsed);
    const pulled = await withProgress(context, { mode, title: "Pulling" }, (call) =>
      engine.registry.pull({ ...request, ...call }),
    );
    print(context, parsed, pulled);
  },
};

function requestOf(parsed: ParsedArguments): PullRequest {
  const platform = parsed.string("platform");
  return {
    name: parsed.word(0),
    all: parsed.boolean("all-tags"),
    ...(platform === undefined ? {} : { platform }),
  };
}

function print(context: CommandContext, parsed: ParsedArguments, pulled: readonly PulledTag[]): void {
  if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(pulled, undefined, 2)}\n`);
  const lines = pulled.map(({ name, digest, existed }) => {
    if (parsed.boolean("quiet")) return `${name}\n`;
    const status = existed ? "Image is up to date for" : "Downloaded newer image for";
    return `Digest: ${digest}\nStatus: ${status} ${name}\n`;
  });
  context.stdout.write(lines.join(""));
}
