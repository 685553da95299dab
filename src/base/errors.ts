// SPDX-License-Identifier: Apache-2.0
import type { ErrorCode } from "./error-codes.ts";

/** What a `TareError` carries besides its code and message. */
export interface TareErrorOptions {
  /** What the user can do about it; one or two sentences, no full stop at the end. */
  readonly hint?: string;
  /** The failure underneath, shown with `--debug`. */
  readonly cause?: unknown;
  /** Process exit code when this error ends a command; default 1. */
  readonly exitCode?: number;
  /** Facts for `--json` consumers (file, line, digest …). */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class of the product. `code` is stable and listed in `docs/errors.md`; `message` says what was
 * being done, with what, and why it failed (lower case, no full stop). Plain `Error` is only for bugs.
 */
export class TareError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exitCode: number;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: TareErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TareError";
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
    this.details = options.details ?? {};
  }
}

/** Narrows an unknown caught value to a `TareError`, optionally of one code. */
export function isTareError(error: unknown, code?: ErrorCode): error is TareError {
  return error instanceof TareError && (code === undefined || error.code === code);
}

/** The system error code (`ENOENT`, `EEXIST` …) of a caught value, or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The message of any caught value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
