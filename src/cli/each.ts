// SPDX-License-Identifier: Apache-2.0
import { Semaphore, isTareError } from "../base/index.ts";
import { printError } from "./error-text.ts";
import type { ErrorCode } from "../base/index.ts";
import type { CommandContext } from "./context.ts";

/** What waits for containers: more at once would help nobody. */
const AT_ONCE = 32;

/**
 * The same for all names at once, as Docker does where containers are waited for; lines and failures are printed in the
 * order of the names.
 */
export async function forEachNameAtOnce(
  context: CommandContext,
  names: readonly string[],
  action: (name: string) => Promise<string | undefined>,
): Promise<number> {
  const slots = new Semaphore(AT_ONCE);
  // A name that is given twice is done twice, one after the other.
  const work = new Map<string, Promise<unknown>>();
  const results = names.map((name) => {
    const before = work.get(name) ?? Promise.resolve();
    const result = before.catch(() => undefined).then(() => slots.run(() => action(name)));
    result.catch(() => undefined);
    work.set(name, result);
    return result;
  });
  let next = 0;
  return forEachName(context, names, async () => await results[next++]);
}

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
      printError(context, error);
      code = 1;
    }
  }
  return code;
}

/**
 * The action for names of what is to be removed: answers the name. With `force` one that is not there (the error
 * `absent`) is told and is no failure.
 */
export function removal(
  context: CommandContext,
  { force, absent }: { readonly force: boolean; readonly absent: ErrorCode },
  remove: (name: string) => Promise<void>,
): (name: string) => Promise<string | undefined> {
  return async (name) => {
    try {
      await remove(name);
      return name;
    } catch (error) {
      if (!force || !isTareError(error, absent)) throw error;
      printError(context, error);
      return undefined;
    }
  };
}
