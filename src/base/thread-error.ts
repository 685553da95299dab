// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from "./error-codes.ts";
import { TareError, isTareError, messageOf } from "./errors.ts";

/** What one thread tells another of an error: a message between threads loses the class of what is in it. */
export interface ErrorMessage {
  readonly message: string;
  /** That of a `TareError`; without one it was another error, a bug. */
  readonly code?: ErrorCode;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error on its way to another thread; its cause and exit code stay behind. */
export function toErrorMessage(error: unknown): ErrorMessage {
  if (!isTareError(error)) return { message: messageOf(error) };
  const { code, message, hint, details } = error;
  return { code, message, details, ...(hint === undefined ? {} : { hint }) };
}

/** The error that a thread told of. */
export function fromErrorMessage({ code, message, ...facts }: ErrorMessage): Error {
  return code === undefined ? new Error(message) : new TareError(code, message, facts);
}
