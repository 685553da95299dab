// SPDX-License-Identifier: Apache-2.0
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

const BINARY_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** Bytes as Docker shows them: powers of 1000, `digits` significant digits: `1.24MB`. */
export function humanSize(bytes: number, digits: number = 4): string {
  return sizeIn(bytes, { base: 1000, units: UNITS, digits });
}

/** Bytes as Docker shows memory: powers of 1024: `1.24MiB`. */
export function binarySize(bytes: number): string {
  return sizeIn(bytes, { base: 1024, units: BINARY_UNITS, digits: 4 });
}

interface SizeStyle {
  readonly base: number;
  readonly units: readonly string[];
  readonly digits: number;
}

function sizeIn(bytes: number, { base, units, digits }: SizeStyle): string {
  let value = bytes;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${significant(value, digits)}${units[unit]}`;
}

/** Go's `%.4g` for numbers below 1000: no exponent, no trailing zeros. */
function significant(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}

/** Milliseconds as Docker shows a duration: `Less than a second`, `About a minute`, `3 hours`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  return longDuration(seconds / 3600);
}

function longDuration(exactHours: number): string {
  const hours = Math.round(exactHours);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(exactHours / 24 / 365)} years`;
}

/** `2 minutes ago`. */
export function ago(at: number, now: number): string {
  return `${humanDuration(Math.max(0, now - at))} ago`;
}

/** The first 12 hex digits of an id or digest. */
export function shortId(id: string): string {
  return (id.startsWith("sha256:") ? id.slice(7) : id).slice(0, 12);
}

/** A point in time as Docker's listings show it: `2026-01-02 03:04:05 +0000 UTC`. */
export function listedTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`;
}
