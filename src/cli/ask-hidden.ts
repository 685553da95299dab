// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { CommandContext } from "./context.ts";

/** Asks for one line, without showing what is typed. */
export async function askHidden(context: CommandContext, question: string): Promise<string> {
  const input = context.stdin() as ReturnType<CommandContext["stdin"]> & { setRawMode?: (raw: boolean) => void };
  context.stderr.write(question);
  input.setRawMode?.(true);
  let text = "";
  try {
    for await (const chunk of input) {
      for (const character of String(chunk)) {
        if (character === "\u0003") throw new TareError("E_ABORTED", "asking: interrupted", { exitCode: 130 });
        if (character === "\r" || character === "\n" || character === "\u0004") return text;
        text = character === "\u007f" ? text.slice(0, -1) : text + character;
      }
    }
    return text;
  } finally {
    input.setRawMode?.(false);
    context.stderr.write("\n");
  }
}
