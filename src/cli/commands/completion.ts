// SPDX-License-Identifier: Apache-2.0
import { SCRIPTS } from "../completion-scripts.ts";
import { usageError } from "../usage-error.ts";
import type { CommandBody } from "../command.ts";

/** `tare completion`. */
export const command: CommandBody = {
  usage: "bash|zsh|fish",
  count: { min: 1, max: 1 },
  options: [],
  examples: [
    { line: "source <(tare completion bash)", text: "for this shell" },
    { line: "tare completion fish > ~/.config/fish/completions/tare.fish", text: "for every fish" },
  ],
  async run(context, parsed) {
    const script = SCRIPTS[parsed.word(0)];
    if (script === undefined) throw usageError(`no completion for \`${parsed.word(0)}\`: expected bash, zsh or fish`);
    context.stdout.write(script);
  },
};
