// SPDX-License-Identifier: Apache-2.0
import type { HttpResponse } from "./types.ts";

/**
 * Milliseconds that an answer asks to be left alone for (`Retry-After`: seconds or a date, RFC 9110, 10.2.3); undefined
 * when it says nothing that can be understood.
 */
export function retryAfter({ headers }: Pick<HttpResponse, "headers">): number | undefined {
  const text = headers["retry-after"]?.trim();
  if (text === undefined) return undefined;
  const isDate = /^[A-Z][a-z]{2,8},? /.test(text);
  const milliseconds = /^\d{1,9}$/.test(text)
    ? Number(text) * 1000
    : isDate
      ? Date.parse(text) - Date.now()
      : Number.NaN;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
