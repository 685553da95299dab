// SPDX-License-Identifier: Apache-2.0
import type { ParsedArguments } from "./parsed.ts";

/** The values of `STOP_OPTIONS`. */
export function stopOptions(parsed: ParsedArguments): { readonly signal?: string; readonly timeout?: number } {
  const signal = parsed.string("signal");
  const timeout = parsed.integer("timeout", { min: -1 }) ?? parsed.integer("time", { min: -1 });
  return { ...(signal === undefined ? {} : { signal }), ...(timeout === undefined ? {} : { timeout }) };
}
