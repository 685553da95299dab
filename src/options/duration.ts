// SPDX-License-Identifier: Apache-2.0
import { quoted, usage } from "./usage.ts";

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const LIMIT = 2n ** 63n - 1n;

/**
 * Parses a duration as Go's `time.ParseDuration` (`1h30m`, `1.5s`, `-2us`) into nanoseconds. Above 104 days the number
 * is rounded as doubles are. Throws `E_USAGE` with Go's text.
 */
export function parseDuration(text: string): number {
  const [, sign = "", body = ""] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (body === "0") return 0;
  if (body === "" || body.length > 200) throw invalid(text);
  let rest = body;
  let total = 0n;
  while (rest !== "") {
    const match = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/.exec(rest);
    const [all = "", whole = "", fraction = "", unit = ""] = match ?? [];
    if (whole + fraction === "") throw invalid(text);
    total += scale(whole, fraction, unit, text);
    rest = rest.slice(all.length);
  }
  if (total > LIMIT) throw invalid(text);
  return sign === "-" ? -Number(total) : Number(total);
}

function scale(whole: string, fraction: string, unit: string, text: string): bigint {
  if (unit === "") throw usage(`time: missing unit in duration ${quoted(text)}`, "for example 30s or 1h30m");
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (factor === undefined) throw usage(`time: unknown unit ${quoted(unit)} in duration ${quoted(text)}`);
  return (
    BigInt(whole === "" ? "0" : whole) * factor + (BigInt(`0${fraction}`) * factor) / 10n ** BigInt(fraction.length)
  );
}

function invalid(text: string): Error {
  return usage(`time: invalid duration ${quoted(text)}`, "for example 30s or 1h30m");
}

/** Formats nanoseconds as Go's `Duration.String`: `1h0m0s`, `1.5s`, `100ms`, `0s`. */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  const sign = nanoseconds < 0 ? "-" : "";
  const amount = BigInt(Math.abs(Math.trunc(nanoseconds)));
  if (amount < 1000n) return `${sign}${amount}ns`;
  if (amount < 1_000_000n) return `${sign}${decimal(amount, 3)}µs`;
  if (amount < 1_000_000_000n) return `${sign}${decimal(amount, 6)}ms`;
  const minutes = amount / 60_000_000_000n;
  const seconds = `${decimal(amount % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return sign + seconds;
  const hours = minutes / 60n;
  return hours === 0n ? `${sign}${minutes}m${seconds}` : `${sign}${hours}h${minutes % 60n}m${seconds}`;
}

function decimal(amount: bigint, places: number): string {
  const digits = amount.toString().padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  return digits.slice(0, -places) + (fraction === "" ? "" : `.${fraction}`);
}
