// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import type { CommandBody } from "../command.ts";
import type { PublishedAt } from "../../engine/index.ts";

/** `tare port`. */
export const command: CommandBody = {
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  count: { min: 1, max: 2 },
  options: [{ name: "json", type: "boolean", description: "Print the ports as JSON" }],
  complete: ["running", "none"],
  examples: [
    { line: "tare port web", text: "where its ports are reached" },
    { line: "tare port web 80", text: "only that one: `127.0.0.1:8080`" },
  ],
  async run(context, parsed) {
    const [name = "", wanted] = parsed.positionals;
    const { containers } = await context.engine();
    const ports = await containers.ports(name);
    const port = wanted?.includes("/") ? wanted : `${wanted}/tcp`;
    const shown = wanted === undefined ? ports : ports.filter((each) => each.port === port.toLowerCase());
    if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`);
    if (wanted !== undefined && shown.length === 0) throw notPublished(name, port);
    const line = (each: PublishedAt): string =>
      wanted === undefined ? `${each.port} -> ${each.address}` : each.address;
    context.stdout.write(shown.map((each) => `${line(each)}\n`).join(""));
  },
};

function notPublished(name: string, port: string): TareError {
  return new TareError(
    "E_PORT",
    `looking up port \`${port}\` of the container \`${name}\`: no public port '${port}' published`,
    {
      hint: `\`tare port ${name}\` lists those that are`,
    },
  );
}
