// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { defined } from "./flag-value.ts";
import type { ParsedArguments } from "./parsed.ts";

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const AGE = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/;

/**
 * A point in time as Docker reads it for `--since` and `--until`: an age (`1h30m`), seconds since the epoch
 * (`1700000000.5`), or RFC 3339 with parts left out (local time without a zone). Milliseconds since the epoch.
 */
export function parseMoment(flag: string, text: string, now: number): number {
  if (AGE.test(text)) return now - parseAge(text);
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2})(?::(\d{2})(?::(\d{2}(?:\.\d+)?))?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (match) {
    const [, day, hour = "00", minute = "00", seconds = "00", zone = ""] = match;
    const [second = "", fraction = ""] = seconds.split(".");
    const digits = fraction.padEnd(9, "0");
    const at = Date.parse(`${day}T${hour}:${minute}:${second}.${digits.slice(0, 3)}${zone}`);
    // Logs are written to the nanosecond.
    if (!Number.isNaN(at)) return at + Number(digits.slice(3, 9)) / 1e6;
  }
  const message = `invalid value for "${flag}": "${text}": expected a time (2026-01-02T15:04:05) or an age (42m)`;
  throw new TareError("E_USAGE", message, { exitCode: 1 });
}

/** The values of `--since` and `--until`, where they are given. Throws `E_USAGE`. */
export function periodOf(parsed: ParsedArguments, now: number): { readonly since?: number; readonly until?: number } {
  const moment = (name: "since" | "until"): number | undefined => {
    const text = parsed.string(name);
    return text === undefined ? undefined : parseMoment(`--${name}`, text, now);
  };
  return defined({ since: moment("since"), until: moment("until") });
}

function parseAge(text: string): number {
  let total = 0;
  for (const [, count = "0", unit = "s"] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(count) * (UNITS[unit] ?? 0);
  return total;
}
