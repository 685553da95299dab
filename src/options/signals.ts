// SPDX-License-Identifier: Apache-2.0
import { suggest } from "../base/index.ts";
import { usage } from "./usage.ts";

/** Linux signal numbers (x86, ARM, RISC-V, s390) by name without `SIG`. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ..."HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
    .split(" ")
    .map((name, index): [string, number] => [name, index + 1]),
  ["IOT", 6],
  ["CLD", 17],
  ["POLL", 29],
]);
const REALTIME_FIRST = 34;
const REALTIME_LAST = 64;
const NOT_FORWARDED: ReadonlySet<number> = new Set([13, 17, 23]);

/** Parses a signal by name or number: `SIGTERM`, `term`, `15`, `SIGRTMIN+3`, `RTMAX-1`. Throws `E_USAGE`. */
export function parseSignal(text: string): number {
  if (/^[0-9]{1,3}$/.test(text)) {
    const number = Number(text);
    if (number >= 1 && number <= REALTIME_LAST) return number;
    throw usage(`invalid signal: ${text}`, `signals are 1 to ${REALTIME_LAST}`);
  }
  const name = text.toUpperCase().replace(/^SIG/, "");
  const number = NUMBERS.get(name) ?? realtime(name);
  if (number !== undefined) return number;
  const guess = suggest(name, NUMBERS.keys());
  throw usage(`invalid signal: ${text}`, guess === undefined ? "for example SIGTERM" : `did you mean SIG${guess}?`);
}

function realtime(name: string): number | undefined {
  const [, base, offset = "0"] = /^(RTMIN|RTMAX)(?:[+-]([0-9]{1,2}))?$/.exec(name) ?? [];
  if (base === undefined || name.startsWith("RTMIN-") || name.startsWith("RTMAX+")) return undefined;
  const number = base === "RTMIN" ? REALTIME_FIRST + Number(offset) : REALTIME_LAST - Number(offset);
  return number >= REALTIME_FIRST && number <= REALTIME_LAST ? number : undefined;
}

/** The name of a signal: `SIGTERM`, `SIGRTMIN+3`; the number itself when it has none. */
export function signalName(number: number): string {
  for (const [name, value] of NUMBERS) if (value === number) return `SIG${name}`;
  if (number === REALTIME_FIRST) return "SIGRTMIN";
  return number > REALTIME_FIRST && number <= REALTIME_LAST ? `SIGRTMIN+${number - REALTIME_FIRST}` : String(number);
}

/** False for signals that a foreground `run` keeps to itself (SIGPIPE, SIGCHLD, SIGURG). */
export function isForwardedSignal(number: number): boolean {
  return !NOT_FORWARDED.has(number);
}
