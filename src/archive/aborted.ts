// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";

/** Throws the reason of an aborted signal when it is a `TareError`, else `E_ABORTED`. */
export function checkAborted(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted !== true) return;
  if (signal.reason instanceof TareError) throw signal.reason;
  throw new TareError("E_ABORTED", `${doing}: interrupted`, { exitCode: 130, cause: signal.reason });
}
