// SPDX-License-Identifier: Apache-2.0
import { SIGNATURE_POLICY_OPTION } from "../common-options.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import { humanSize } from "../text/human.ts";
import type { CommandBody } from "../command.ts";
import type { CopyResult } from "../../engine/index.ts";
import type { CommandContext } from "../context.ts";
import type { ParsedArguments } from "../parsed.ts";

/** `tare copy`. */
export const command: CommandBody = {
  usage: "[OPTIONS] SOURCE TARGET",
  description: [
    "A place is a name at a registry, `store:NAME` (Tare's own store), `oci:FOLDER[:TAG]`, `oci-archive:FILE[:TAG]`,",
    "`docker-archive:FILE[:NAME]` or `docker-daemon:NAME`. Blobs go from one to the other without being kept here, and",
    "those that the target has are not sent. Manifests keep their digests; only plain layers of docker archives and the",
    "Docker Engine, which keep no manifest, are compressed for a registry. Of an image for several platforms this",
    "machine's is copied. A folder keeps the images that are in it, a file is replaced.",
  ].join(" "),
  count: { min: 2, max: 2 },
  options: [
    SIGNATURE_POLICY_OPTION,
    { name: "all-platforms", short: "a", type: "boolean", description: "Copy all platforms of the image" },
    { name: "json", type: "boolean", description: "Print what was copied as JSON" },
    { name: "platform", type: "list", description: "Copy only these platforms; several make a new index" },
    { name: "quiet", short: "q", type: "boolean", description: "Print the digest only" },
    {
      name: "referrers",
      type: "boolean",
      description: "Copy signatures, attestations and whatever else refers to the image too",
    },
    PROGRESS_OPTION,
  ],
  complete: ["image"],
  examples: [
    { line: "tare copy python:3.11-slim registry.example.com/python:3.11-slim", text: "from registry to registry" },
    {
      line: "tare copy --all-platforms --referrers registry.example.com/app:1 oci:app:1",
      text: "with all platforms and signatures into a folder",
    },
    { line: "tare copy store:app:1 docker-daemon:app:1", text: "hand an image to a running Docker" },
    { line: "tare copy docker-archive:app.tar registry.example.com/app:1", text: "push what `docker save` wrote" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const mode = parsed.boolean("quiet") ? "quiet" : progressMode(parsed.string("progress"), context.env);
    const request = {
      source: parsed.word(0),
      target: parsed.word(1),
      allPlatforms: parsed.boolean("all-platforms"),
      platforms: parsed.list("platform").flatMap((text) => text.split(",")),
      referrers: parsed.boolean("referrers"),
    };
    const copied = await withProgress(context, { mode, title: "Copying" }, (call) =>
      engine.registry.copy({ ...request, ...call }),
    );
    print(context, parsed, copied);
  },
};

function print(context: CommandContext, parsed: ParsedArguments, copied: CopyResult): void {
  if (parsed.boolean("json")) return context.stdout.write(`${JSON.stringify(copied, undefined, 2)}\n`);
  if (parsed.boolean("quiet")) return context.stdout.write(`${copied.digest}\n`);
  const { digest, target, existed, blobs, bytes, referrers } = copied;
  const parts = [
    `${blobs.copied} copied (${humanSize(bytes)})`,
    ...(blobs.mounted > 0 ? [`${blobs.mounted} mounted`] : []),
    `${blobs.existing} there already`,
    ...(referrers > 0 ? [`${referrers} referrers`] : []),
  ];
  const status = existed ? `${target} is up to date` : `Copied to ${target}: ${parts.join(", ")}`;
  context.stdout.write(`Digest: ${digest}\nStatus: ${status}\n`);
}
