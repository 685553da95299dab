// SPDX-License-Identifier: Apache-2.0
import { ATTEST_OPTIONS, attestationsOf } from "../attest-options.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";
import type { PushRequest, PushedTag } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare push`. */
export const command: CommandBody = {
  usage: "[OPTIONS] NAME[:TAG]",
  description:
    "Layers that the registry has are not sent. Layers made here travel compressed, so the digest at the registry is " +
    "another one than in the store; the image ID is the same.",
  count: { min: 1, max: 1 },
  options: [
    { name: "all-tags", short: "a", type: "boolean", description: "Push all tags of the repository" },
    {
      name: "compression",
      type: "string",
      choices: ["gzip", "gzip:single", "estargz", "zstd", "none"],
      description: "How layers made here travel; default gzip. estargz changes the image ID",
    },
    ...ATTEST_OPTIONS,
    { name: "json", type: "boolean", description: "Print what was pushed as JSON" },
    { name: "platform", type: "list", description: "Push only these platforms; default: all that are here" },
    { name: "quiet", short: "q", type: "boolean", description: "Print the name only" },
    { name: "disable-content-trust", type: "boolean", description: "Ignored", hidden: true },
    PROGRESS_OPTION,
  ],
  complete: ["image"],
  examples: [
    { line: "tare push registry.example.com/team/app:1", text: "one image" },
    { line: "tare push -a localhost:5000/app", text: "all tags" },
    {
      line: "tare push --compression estargz localhost:5000/app",
      text: "layers that a lazy snapshotter starts before they are there",
    },
    { line: "tare push --sbom registry.example.com/team/app:1", text: "with a list of what is in it" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const mode = parsed.boolean("quiet") ? "quiet" : progressMode(parsed.string("progress"), context.env);
    const request = requestOf(context, parsed);
    const pushed = await withProgress(context, { mode, title: "Pushing" }, (call) =>
      engine.registry.push({ ...request, ...call }),
    );
    print(context, parsed, pushed);
  },
};

function requestOf(context: CommandContext, parsed: ParsedArguments): PushRequest {
  const compression = parsed.string("compression");
  return {
    name: parsed.word(0),
    all: parsed.boolean("all-tags"),
    platforms: parsed.list("platform").flatMap((text) => text.split(",")),
    ...(compression === undefined ? {} : { compression }),
    ...attestationsOf(context, parsed),
  };
}

function print(context: CommandContext, parsed: ParsedArguments, pushed: readonly PushedTag[]): void {
  if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(pushed, undefined, 2)}\n`);
  const lines = pushed.map(({ name, tag, digest, size }) =>
    parsed.boolean("quiet") ? `${name}\n` : `${tag}: digest: ${digest} size: ${size}\n`,
  );
  context.stdout.write(lines.join(""));
}
