// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../../base/index.ts";
import { forEachNameAtOnce, removal } from "../each.ts";
import { confirm } from "../confirm.ts";
import type { CommandBody } from "../command.ts";
import type { CommandContext } from "../context.ts";
import type { Engine } from "../../engine/index.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare rm`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  count: { min: 1 },
  options: [
    { name: "force", short: "f", type: "boolean", description: "Kill running containers; absent ones are no error" },
    {
      name: "volumes",
      short: "v",
      type: "boolean",
      description: "Remove their anonymous volumes too; on a terminal it names them and asks",
    },
    {
      name: "link",
      short: "l",
      type: "boolean",
      description: "Remove a link",
      unsupported: "links were replaced by networks",
    },
  ],
  complete: ["container"],
  examples: [
    { line: "tare rm web", text: "remove a stopped container" },
    { line: "tare rm -f $(tare ps -aq)", text: "remove all, also running ones" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const { containers } = engine;
    const options = { force: parsed.boolean("force"), volumes: parsed.boolean("volumes") };
    if (options.volumes && !(await mayTakeVolumes(context, engine, parsed))) return 0;
    const tolerated = { force: options.force, absent: "E_CONTAINER_NOTFOUND" } as const;
    const remove = removal(context, tolerated, (name) => containers.remove(name, options));
    return forEachNameAtOnce(context, parsed.positionals, remove);
  },
};

/** What a container wrote into a volume goes with `-v`: on a terminal that is said by name, and asked. */
async function mayTakeVolumes(context: CommandContext, engine: Engine, parsed: ParsedArguments): Promise<boolean> {
  if (parsed.boolean("force") || !context.stdinIsTerminal) return true;
  const going = new Set(await Promise.all(parsed.positionals.map((name) => nameOf(engine, name))));
  const volumes = await engine.volumes.list();
  const doomed = volumes.filter(({ anonymous, users }) => {
    return anonymous && users.length > 0 && users.every((user) => going.has(user));
  });
  if (doomed.length === 0) return true;
  const lines = doomed.map(({ name, users }) => `\n  ${name} (of ${users.join(", ")})`);
  return confirm(context, `WARNING! This will also remove the anonymous volumes:${lines.join("")}`, false);
}

/** Docker writes a slash before a container's name. Undefined for one that is not there: its removal says so. */
async function nameOf({ containers }: Engine, text: string): Promise<string | undefined> {
  try {
    return String((await containers.inspect(text))["Name"]).replace(/^\//, "");
  } catch (error) {
    if (isTareError(error)) return undefined;
    throw error;
  }
}
