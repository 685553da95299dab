// SPDX-License-Identifier: Apache-2.0
import { usage } from "./usage.ts";

const UNITS = "bkmgtp";

/**
 * Parses a number of bytes with binary units: `512`, `512m`, `1.5g`, `1GiB`, `64 kb`. Throws `E_USAGE` with Docker's
 * text.
 */
export function parseBytes(text: string): number {
  return bytesOf(text, 1024);
}

/** The same with decimal units: `10m` is ten million. */
export function parseDecimalBytes(text: string): number {
  return bytesOf(text, 1000);
}

function bytesOf(text: string, base: number): number {
  const match = /^(.*[0-9.]) ?([^0-9. ]*)$/s.exec(text);
  const [, digits = "", suffix = ""] = match ?? [];
  if (match === null || !/^\+?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(digits)) {
    throw usage(`invalid size: '${text}'`, "for example 512m or 1.5g");
  }
  const bytes = Math.trunc(Number(digits) * factorOf(suffix, base));
  if (!Number.isSafeInteger(bytes)) throw usage(`invalid size: '${text}': too large`);
  return bytes;
}

function factorOf(suffix: string, base: number): number {
  if (suffix === "") return 1;
  const exponent = /^(?:b|[kmgtp](?:i?b)?)$/i.test(suffix) ? UNITS.indexOf(suffix.charAt(0).toLowerCase()) : -1;
  if (exponent < 0) throw usage(`invalid suffix: '${suffix}'`, "use b, k, m, g or t");
  return base ** exponent;
}

/** Parses `--memory-swap`: a size, or -1 for no limit. Throws `E_USAGE`. */
export function parseMemorySwap(text: string): number {
  return text === "-1" ? -1 : parseBytes(text);
}

/** Parses `--cpus` (`1.5`, `0.000000001`, `3/2`) into billionths of a CPU. Throws `E_USAGE`. */
export function parseCpus(text: string): number {
  const match = /^([0-9]{0,15})(?:\.([0-9]{0,30}))?(?:\/([0-9]{1,9}))?$/.exec(text);
  const [, whole = "", fraction = "", divisor = "1"] = match ?? [];
  if (match === null || whole + fraction === "" || BigInt(divisor) === 0n) {
    throw usage(`failed to parse ${text} as a rational number`, "for example 1.5");
  }
  const numerator = BigInt(whole + fraction) * 1_000_000_000n;
  const denominator = 10n ** BigInt(fraction.length) * BigInt(divisor);
  if (numerator % denominator !== 0n) throw usage("value is too precise", "at most nine decimal places");
  return Number(numerator / denominator);
}
