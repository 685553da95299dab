// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError } from "../../base/index.ts";
import { parseLabels } from "../../options/index.ts";
import { checkVolumeDriver } from "../create-mounts.ts";
import type { CommandBody } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare volume create`. */
export const command: CommandBody = {
  usage: "[OPTIONS] [VOLUME]",
  description: [
    "Makes a volume and prints its name; one that exists stays as it is. Without a name one is made up, and the volume",
    "counts as anonymous: `volume prune` takes it when no container has it.",
  ].join(" "),
  count: { min: 0, max: 1 },
  options: [
    { name: "driver", short: "d", type: "string", default: "local", description: "Driver: `local`" },
    { name: "label", type: "list", valueName: "list", description: "Label of the volume, as in `key=value`" },
    { name: "name", type: "string", description: "The old way to give a name", hidden: true },
    {
      name: "opt",
      short: "o",
      type: "list",
      valueName: "map",
      description: "Option of the driver: `type=tmpfs`, `type=none`, `device=/path`, `o=bind`, `o=size=64m`",
    },
  ],
  examples: [
    { line: "tare volume create models", text: "a volume for weights" },
    { line: "tare volume create -o type=none -o o=bind -o device=/data/sets sets", text: "a folder of this machine" },
    { line: "tare volume create -o type=tmpfs -o o=size=2g scratch", text: "memory, each container's own" },
  ],
  run: (context, parsed) => create(context, parsed).catch((error: unknown) => Promise.reject(withOwnCode(error))),
};

async function create(context: CommandContext, parsed: ParsedArguments): Promise<void> {
  checkVolumeDriver(parsed.string("driver"));
  const name = parsed.positionals[0] ?? parsed.string("name");
  const { volumes } = await context.engine();
  const made = await volumes.create({
    ...(name === undefined ? {} : { name }),
    labels: parseLabels(parsed.list("label")),
    options: parsed.pairs("opt"),
  });
  context.stdout.write(`${made.name}\n`);
}

/** 125 is for `run`, which makes volumes too. */
function withOwnCode(error: unknown): unknown {
  if (!isTareError(error) || error.exitCode !== 125) return error;
  const { code, message, hint, details, cause } = error;
  return new TareError(code, message, { exitCode: 1, details, cause, ...(hint === undefined ? {} : { hint }) });
}
