// SPDX-License-Identifier: Apache-2.0
import type { CommandBody } from "../command.ts";
import type { InspectedManifest } from "../../engine/index.ts";

/** `tare manifest inspect`. */
export const command: CommandBody = {
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  description: [
    "Prints the manifest or index that a name at a registry stands for, without fetching the image. With `-v` it comes with",
    "its name, descriptor and platform, and of an index each of its manifests.",
  ].join(" "),
  count: { min: 1, max: 1 },
  options: [
    {
      name: "insecure",
      type: "boolean",
      description: "Allow a registry without TLS, or whose certificate nobody signed",
    },
    { name: "raw", type: "boolean", description: "Print the bytes as the registry has them" },
    { name: "verbose", short: "v", type: "boolean", description: "Print names, descriptors and platforms too" },
  ],
  complete: ["image"],
  examples: [
    { line: "tare manifest inspect python:3.11-slim", text: "platforms and their digests" },
    { line: "tare manifest inspect --raw localhost:5000/app:1 | sha256sum", text: "the digest of a tag" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const verbose = parsed.boolean("verbose");
    const found = await engine.registry.manifest({
      name: parsed.word(0),
      insecure: parsed.boolean("insecure"),
      verbose,
      signal: context.signal,
    });
    if (parsed.boolean("raw")) return context.stdout.write(found.bytes);
    context.stdout.write(`${verbose ? verboseText(found) : plainText(found)}\n`);
  },
};

/** Docker indents an index by three spaces and a manifest by a tab. */
function plainText({ bytes }: InspectedManifest): string {
  const value: unknown = parsedBytes(bytes);
  const isIndex = typeof value === "object" && value !== null && "manifests" in value;
  return JSON.stringify(value, undefined, isIndex ? "   " : "\t");
}

function parsedBytes(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString("utf8"));
}

function verboseText(found: InspectedManifest): string {
  return JSON.stringify(found.parts ? found.parts.map(entryOf) : entryOf(found), undefined, "\t");
}

/** Docker's field names. */
function entryOf({ name, descriptor, bytes }: InspectedManifest): Readonly<Record<string, unknown>> {
  const field = descriptor.mediaType.startsWith("application/vnd.docker.") ? "SchemaV2Manifest" : "OCIManifest";
  return {
    Ref: name,
    Descriptor: descriptor,
    Raw: Buffer.from(bytes).toString("base64"),
    [field]: parsedBytes(bytes),
  };
}
