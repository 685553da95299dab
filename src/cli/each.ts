// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../base/index.ts";
import { errorText } from "./error-text.ts";
import type { CommandContext } from "./context.ts";

/**
 * Does something for each name; a failure is printed and the others go on, as Docker does. The result is the exit
 * code: 1 when anything failed. Aborts end it at once.
 */
export async function forEachName(
  context: CommandContext,
  names: readonly string[],
  action: (name: string) => Promise<string | undefined>,
): Promise<number> {
  let code = 0;
  for (const name of names) {
    try {
      const line = await action(name);
      if (line !== undefined) context.stdout.write(`${line}\n`);
    } catch (error) {
      if (isTareError(error, "E_ABORTED") || !isTareError(error)) throw error;
      context.stderr.write(errorText(error, { color: context.stderr.color, debug: context.debug }));
      code = 1;
    }
  }
  return code;
}
