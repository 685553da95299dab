// SPDX-License-Identifier: Apache-2.0
import type { CommandBody } from "../command.ts";

/** `tare logout`. */
export const command: CommandBody = {
  usage: "[SERVER]",
  description: "Without a server it is Docker Hub's login that is forgotten.",
  count: { min: 0, max: 1 },
  options: [],
  complete: ["none"],
  examples: [{ line: "tare logout registry.example.com", text: "forget the login of one registry" }],
  async run(context, parsed) {
    const engine = await context.engine();
    const host = parsed.word(0) || undefined;
    const existed = await engine.registry.logout(host);
    const name = host ?? "Docker Hub";
    context.stdout.write(existed ? `Removing login credentials for ${name}\n` : `Not logged in to ${name}\n`);
  },
};
