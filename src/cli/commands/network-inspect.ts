// SPDX-License-Identifier: Apache-2.0
import { errorText } from "../error-text.ts";
import { compileTemplate } from "../template/index.ts";
import type { CommandBody } from "../command.ts";
import type { InspectDocument } from "../../engine/index.ts";

/** `tare network inspect`. */
export const command: CommandBody = {
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  count: { min: 1 },
  options: [
    { name: "format", short: "f", type: "string", description: "`json`, or a Go template for each document" },
    {
      name: "verbose",
      short: "v",
      type: "boolean",
      description: "Accepted; there is no Swarm to tell of",
      hidden: true,
    },
    { name: "json", type: "boolean", description: "JSON: what it prints anyway", hidden: true },
  ],
  complete: ["network"],
  examples: [
    { line: "tare network inspect bridge", text: "the default network and who is in it" },
    { line: "tare network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' team", text: "its addresses" },
  ],
  async run(context, parsed) {
    const format = parsed.string("format");
    const template = format === undefined || format === "json" ? undefined : compileTemplate(format);
    const { networks } = await context.engine();
    const documents: InspectDocument[] = [];
    const errors: unknown[] = [];
    for (const name of parsed.positionals) {
      const found = await networks.inspect(name).catch((error: unknown) => void errors.push(error));
      if (found) documents.push(found);
    }
    const one = template ?? ((document: InspectDocument) => JSON.stringify(document));
    if (format === undefined) context.stdout.write(`${JSON.stringify(documents, undefined, 4)}\n`);
    else for (const document of documents) context.stdout.write(`${one(document)}\n`);
    for (const error of errors)
      context.stderr.write(errorText(error, { color: context.stderr.color, debug: context.debug }));
    return errors.length > 0 ? 1 : 0;
  },
};
