// SPDX-License-Identifier: Apache-2.0
import type { ProcessInput } from "../runtime/index.ts";
import type { ProcessIo } from "./request.ts";

/** The size that a process's terminal has from its first moment on; later the runtime follows the user's. */
export function consoleOf({ terminal }: ProcessIo): Pick<ProcessInput, "consoleSize"> {
  if (!terminal) return {};
  const { rows, columns } = terminal.size();
  return { consoleSize: { height: rows, width: columns } };
}
