// SPDX-License-Identifier: Apache-2.0
import type { CommandBody } from "../command.ts";

/** `tare tag`. */
export const command: CommandBody = {
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  count: { min: 2, max: 2 },
  options: [],
  complete: ["image", "image"],
  examples: [{ line: "tare tag hello:latest example.com/team/hello:1.0", text: "another name for an image" }],
  async run(context, parsed) {
    const engine = await context.engine();
    await engine.images.tag(parsed.word(0), parsed.word(1));
  },
};
