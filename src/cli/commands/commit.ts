// SPDX-License-Identifier: Apache-2.0
import { defined } from "../flag-value.ts";
import { PROGRESS_OPTION, progressMode, withProgress } from "../work.ts";
import type { CommandBody } from "../command.ts";

/** `tare commit`. */
export const command: CommandBody = {
  usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
  description:
    "The image has what the container changed as one more layer. Volumes and other mounts are not part of it.",
  count: { min: 1, max: 2 },
  options: [
    { name: "author", short: "a", type: "string", description: "Author, as in `Ada <ada@example.org>`" },
    { name: "message", short: "m", type: "string", description: "Comment of the image" },
    { name: "change", short: "c", type: "list", description: "Dockerfile instruction for the image's config" },
    { name: "pause", short: "p", type: "boolean", default: true, description: "Pause the container meanwhile" },
    { ...PROGRESS_OPTION, default: "quiet" },
  ],
  complete: ["container", "image"],
  examples: [
    { line: "tare commit -m 'with the data set' notebook notebook:2", text: "keep what was tried out" },
    { line: 'tare commit -c \'CMD ["python", "serve.py"]\' notebook served', text: "with another program" },
  ],
  async run(context, parsed) {
    const engine = await context.engine();
    const [container = "", name] = parsed.positionals;
    const request = {
      container,
      changes: parsed.list("change"),
      pause: parsed.boolean("pause"),
      ...defined({ name, author: parsed.string("author"), message: parsed.string("message") }),
    };
    const mode = progressMode(parsed.string("progress"), context.env);
    const { id } = await withProgress(context, { mode, title: "Committing" }, (call) =>
      engine.containers.commit({ ...request, ...call }),
    );
    context.stdout.write(`${id}\n`);
  },
};
