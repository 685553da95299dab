// SPDX-License-Identifier: Apache-2.0
import { escapeLine } from "../text/escape.ts";
import type { CommandBody } from "../command.ts";
import type { ContainerChange } from "../../engine/index.ts";

const LETTERS: Readonly<Record<ContainerChange["kind"], string>> = { added: "A", changed: "C", deleted: "D" };

/** `tare diff`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER",
  count: { min: 1, max: 1 },
  options: [{ name: "json", type: "boolean", description: "Print all as JSON" }],
  complete: ["container"],
  examples: [{ line: "tare diff web", text: "what would be lost with the container: A added, C changed, D deleted" }],
  async run(context, parsed) {
    const { containers } = await context.engine();
    const changes = await containers.changes(parsed.word(0));
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(changes, undefined, 2)}\n`);
    context.stdout.write(changes.map(({ kind, path }) => `${LETTERS[kind]} ${escapeLine(path)}\n`).join(""));
  },
};
