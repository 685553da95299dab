// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";
import { TareError } from "../../base/index.ts";
import { filesOf, recordsOf } from "../context.ts";
import type { ContainersContext } from "../context.ts";
import { findContainer, viewOf } from "../find.ts";
import { isBeingWritten } from "./files.ts";
import type { LogRecord } from "./format.ts";
import { readJournal } from "./journal.ts";
import { logConfigOf, logDetails } from "./settings.ts";
import { readLog } from "./reader.ts";
import type { LogOptions } from "./reader.ts";

/** conmon has closed the log when it has called the exit command, which takes a tenth of a second. */
const LONGEST_WRITING = 10_000;
const POLL = 10;

/**
 * A container's output in batches. With `follow` it ends when the container does. Foreground containers with
 * `autoRemove` have none. Takes no lock. Throws `E_CONTAINER_NOTFOUND`, and `E_UNSUPPORTED` for the driver `none`, at
 * the first record asked for.
 */
export async function* containerLogs(
  context: ContainersContext,
  text: string,
  options: LogOptions = {},
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  const record = findContainer(context, text);
  const { driver } = logConfigOf(record);
  if (driver === "none") throw notReadable(record.name);
  const goesOn = (): boolean => isGoingOn(context, record.id);
  if (driver === "journald") {
    yield* readJournal(record.id, goesOn, options);
    return;
  }
  const files = filesOf(context, record.id);
  if (options.follow !== true) await untilWritten(files.logPipe, goesOn);
  yield* readLog(files.logs, () => goesOn() || isBeingWritten(files.logPipe), options);
}

/** The attributes that stand before every line with `--details`; empty without any. Throws `E_CONTAINER_NOTFOUND`. */
export function containerLogDetails(context: ContainersContext, text: string): string {
  return logDetails(findContainer(context, text));
}

/** False for one that is gone too. */
function isGoingOn(context: ContainersContext, id: string): boolean {
  const record = recordsOf(context).get(id);
  return record !== undefined && viewOf(context, record).state.status === "running";
}

/** What a container wrote before its end may be on its way to the file still. */
async function untilWritten(pipe: string, goesOn: () => boolean): Promise<void> {
  if (goesOn()) return;
  for (const limit = Date.now() + LONGEST_WRITING; isBeingWritten(pipe) && Date.now() < limit;) await sleep(POLL);
}

function notReadable(name: string): TareError {
  return new TareError(
    "E_UNSUPPORTED",
    `reading the log of \`${name}\`: configured logging driver does not support reading`,
    { hint: "it was made with `--log-driver none`" },
  );
}
