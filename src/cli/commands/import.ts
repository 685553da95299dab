// SPDX-License-Identifier: Apache-2.0
import { byteSource } from "../byte-io.ts";
import { PLATFORM_OPTION } from "../common-options.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare import`. */
export const command: CommandBody = {
  usage: "[OPTIONS] FILE|- [REPOSITORY[:TAG]]",
  count: { min: 1, max: 2 },
  options: [
    { name: "change", short: "c", type: "list", description: "Dockerfile instruction for the image's config" },
    { name: "message", short: "m", type: "string", description: "Comment of the image" },
    PLATFORM_OPTION,
    { ...PROGRESS_OPTION, default: "quiet" },
  ],
  complete: ["file", "image"],
  examples: [
    { line: "tare import -c 'CMD [\"bash\"]' rootfs.tar.gz mine:1", text: "an image out of a root file system" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const [source, name] = parsed.positionals;
    const message = parsed.string("message");
    const platform = parsed.string("platform");
    const request = {
      input: byteSource(context, source),
      changes: parsed.list("change"),
      ...(name === undefined ? {} : { name }),
      ...(message === undefined ? {} : { message }),
      ...(platform === undefined ? {} : { platform }),
    };
    const mode = progressMode(parsed.string("progress"), context.env);
    const { id } = await withProgress(context, { mode, title: "Importing" }, (call) =>
      engine.images.import({ ...request, ...call }),
    );
    context.stdout.write(`${id}\n`);
  },
};
