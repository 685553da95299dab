// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";

/** A wrong flag: `E_USAGE` with exit code 125, as Docker's. */
export function usageError(message: string, hint?: string): TareError {
  return new TareError("E_USAGE", message, { exitCode: 125, ...(hint === undefined ? {} : { hint }) });
}
