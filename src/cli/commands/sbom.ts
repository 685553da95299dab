// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { writeFileAtomic } from "../../base/index.ts";
import { PLATFORM_OPTION } from "../common-options.ts";
import { productVersion } from "../version.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare sbom`. */
export const command: CommandBody = {
  usage: "[OPTIONS] IMAGE",
  description: [
    "Writes a software bill of materials of an image: Debian packages, Python distributions with the files they were",
    "installed from, and the shared libraries that wheels carry, with package URLs and licences. It tells what a",
    "container of the image sees; no code of the image runs. Equal images give equal documents.",
  ].join(" "),
  count: { min: 1, max: 1 },
  options: [
    {
      name: "format",
      type: "string",
      default: "spdx",
      choices: ["spdx", "cyclonedx"],
      description: "SPDX 2.3 or CycloneDX 1.6, both as JSON",
    },
    {
      name: "output",
      short: "o",
      type: "string",
      description: "File to write; default: the standard output",
      complete: "file",
    },
    PLATFORM_OPTION,
    { ...PROGRESS_OPTION, default: "quiet" },
  ],
  complete: ["image"],
  examples: [
    { line: "tare sbom app", text: "what is in it, as SPDX" },
    { line: "tare sbom --format cyclonedx -o app.cdx.json app", text: "as CycloneDX, to a file" },
  ],
  async run(context, parsed) {
    const { trust } = await context.engine();
    const platform = parsed.string("platform");
    const request = {
      image: parsed.word(0),
      format: parsed.string("format") === "cyclonedx" ? "cyclonedx" : "spdx",
      version: productVersion(),
      ...(platform === undefined ? {} : { platform }),
    } as const;
    const mode = progressMode(parsed.string("progress"), context.env);
    const document = await withProgress(context, { mode, title: "Listing" }, (call) =>
      trust.sbom({ ...request, ...call }),
    );
    const text = `${JSON.stringify(document, undefined, 2)}\n`;
    const output = parsed.string("output") ?? "-";
    if (output === "-") return context.stdout.write(text);
    writeFileAtomic(resolve(context.cwd, output), text, 0o644);
  },
};
