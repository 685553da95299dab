// SPDX-License-Identifier: Apache-2.0
import { problem } from "./problem.ts";

const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const LIMIT = 2 ** 63;

/** Nanoseconds of `1h30m`, `1.5s`, `-2ms`, `0`. Throws `E_DF_DURATION`. */
export function parseDuration(text: string): number {
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0;
  if (!/^(?:(?:\d+(?:\.\d*)?|\.\d+)[a-zµμ]+)+$/.test(body)) throw malformed(text, body);
  let total = 0;
  for (const [, amount, unit] of body.matchAll(/(\d+(?:\.\d*)?|\.\d+)([a-zµμ]+)/g)) {
    const scale = Object.hasOwn(UNITS, unit ?? "") ? UNITS[unit ?? ""] : undefined;
    if (scale === undefined) throw malformed(text, body);
    total += Math.trunc(Number(amount) * scale);
  }
  if (total >= LIMIT) throw malformed(text, body);
  return text.startsWith("-") ? -total : total;
}

function malformed(text: string, body: string): Error {
  const hint = /^\d+(?:\.\d+)?$/.test(body) ? `give a unit: \`${text}s\`?` : "write it like `30s`, `1m30s` or `500ms`";
  return problem("E_DF_DURATION", `invalid duration \`${text}\``, hint);
}
