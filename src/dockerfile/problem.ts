// SPDX-License-Identifier: Apache-2.0
import { TareError, isTareError } from "../base/index.ts";
import type { ErrorCode } from "../base/index.ts";

/** Lines of a file that belong to an instruction; both ends are counted from 1 and included. */
export interface Location {
  readonly line: number;
  readonly endLine: number;
}

/** Where a problem was found, for its message and `details`. */
export interface Place extends Location {
  readonly file: string;
  /** The text of the instruction or line. */
  readonly text: string;
  /** First column, counted from 1. */
  readonly column?: number;
  /** Last column, included. */
  readonly endColumn?: number;
}

const SHOWN = 200;

/** An error of this room that does not know its place yet; `located` adds it. */
export function problem(code: ErrorCode, reason: string, hint?: string): TareError {
  return new TareError(code, reason, hint === undefined ? {} : { hint });
}

/** The hint for a typo, or undefined when nothing is near. */
export function didYouMean(candidate: string | undefined): string | undefined {
  return candidate === undefined ? undefined : `did you mean \`${candidate}\`?`;
}

/** `error` with the place in its message and details; errors that have a place already are returned as they are. */
export function located(error: unknown, place: Place): unknown {
  if (!isTareError(error) || error.details["line"] !== undefined) return error;
  const lines = place.endLine > place.line ? `lines ${place.line}-${place.endLine}` : `line ${place.line}`;
  const { text, ...rest } = place;
  return new TareError(error.code, `parsing \`${place.file}\` ${lines}: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error.cause,
    exitCode: error.exitCode,
    details: { ...error.details, ...rest, text: shortened(text), reason: error.message },
  });
}

/** Runs `action`; a problem that it throws gets the place. */
export function at<T>(place: Place, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw located(error, place);
  }
}

function shortened(text: string): string {
  const clean = text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "\ufffd");
  return clean.length > SHOWN ? `${clean.slice(0, SHOWN)}…` : clean;
}
