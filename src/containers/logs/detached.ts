// SPDX-License-Identifier: Apache-2.0
import type { DetachedLog } from "../../runtime/index.ts";
import { LOG_DIGITS, nextLogNumber } from "./files.ts";
import { requireJournal } from "./journal.ts";
import { logConfigOf, logTagOf } from "./settings.ts";
import { logLimits } from "../../options/index.ts";
import type { Launch } from "../runtime-port.ts";

/** Where a container under conmon sends its output; makes the folder of files ready. Throws `E_UNSUPPORTED`. */
export function detachedLog({ record, files }: Launch): DetachedLog {
  const config = logConfigOf(record);
  if (config.driver === "none") return { kind: "none" };
  if (config.driver === "journald") {
    requireJournal();
    const tag = logTagOf(record);
    return { kind: "journald", ...(tag === undefined ? {} : { tag }) };
  }
  const limits = logLimits(config);
  const first = nextLogNumber(files.logs, limits.size);
  return {
    kind: "pipe",
    pipe: { pipe: files.logPipe, folder: files.logs, digits: LOG_DIGITS, first, ...limits },
  };
}
