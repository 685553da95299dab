// SPDX-License-Identifier: Apache-2.0
import { filesOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { findContainer, viewOf } from "./find.ts";
import type { LogRecord } from "./log-format.ts";
import { readLog } from "./log-reader.ts";
import type { LogOptions } from "./log-reader.ts";

/**
 * A container's output. Foreground containers with a terminal or with `autoRemove` have none. Takes no lock.
 * Throws `E_CONTAINER_NOTFOUND` at the first record asked for.
 */
export async function* containerLogs(
  context: ContainersContext,
  text: string,
  options: LogOptions = {},
): AsyncGenerator<LogRecord, void, undefined> {
  const { id } = findContainer(context, text);
  yield* readLog(filesOf(context, id).log, () => isGoingOn(context, id), options);
}

/** False for one that is gone too. */
function isGoingOn(context: ContainersContext, id: string): boolean {
  const record = recordsOf(context).get(id);
  return record !== undefined && viewOf(context, record).state.status === "running";
}
