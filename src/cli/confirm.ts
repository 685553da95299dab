// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { CommandContext } from "./context.ts";

/**
 * Asks before something is removed; the warning may be found out only when it is shown. True without asking with
 * `force`; throws `E_USAGE` when nobody can be asked.
 */
export async function confirm(
  context: CommandContext,
  warning: string | (() => Promise<string>),
  force: boolean,
): Promise<boolean> {
  if (force) return true;
  if (!context.stdinIsTerminal) {
    throw new TareError("E_USAGE", "nobody can be asked: the standard input is not a terminal", {
      hint: "give `--force` to go on without a question",
    });
  }
  const text = typeof warning === "string" ? warning : await warning();
  context.stderr.write(`${text}\nAre you sure you want to continue? [y/N] `);
  return /^\s*y(es)?\s*$/i.test(await readLine(context));
}

function readLine(context: CommandContext): Promise<string> {
  const input = context.stdin();
  return new Promise((resolve, reject) => {
    let text = "";
    const finish = (): void => {
      input.off("data", take).off("end", finish).off("error", reject).pause();
      context.signal.removeEventListener("abort", abort);
      resolve(text.split("\n")[0] ?? "");
    };
    const take = (data: Buffer | string): void => {
      text += data.toString();
      if (text.includes("\n")) finish();
    };
    const abort = (): void => {
      input.off("data", take).pause();
      reject(new TareError("E_ABORTED", "asking: interrupted", { exitCode: 130 }));
    };
    context.signal.addEventListener("abort", abort, { once: true });
    input.on("data", take).on("end", finish).on("error", reject);
  });
}
