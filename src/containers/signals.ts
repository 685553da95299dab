// SPDX-License-Identifier: Apache-2.0
import { constants } from "node:os";
import { TareError } from "../base/index.ts";
import type { ContainerConfig } from "./types.ts";

/** glibc and musl keep 32 and 33 for themselves; programs see real-time signals from 34. */
const RTMIN = 34;
const RTMAX = 64;

/** The number of a signal given as `9`, `KILL`, `sigkill` or `RTMIN+3`. Throws `E_SIGNAL`. */
export function signalNumber(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : numberOfName(text.toUpperCase().replace(/^SIG/, ""));
  if (number !== undefined && number >= 1 && number <= RTMAX) return number;
  throw new TareError("E_SIGNAL", `reading signal \`${text}\`: no such signal`, {
    hint: "give a name such as TERM or SIGINT, or a number from 1 to 64",
  });
}

function numberOfName(name: string): number | undefined {
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realTime) {
    const base = realTime[1] === "MIN" ? RTMIN : RTMAX;
    const number = base + (realTime[2] === "-" ? -1 : 1) * Number(realTime[3] ?? 0);
    return number >= RTMIN && number <= RTMAX ? number : undefined;
  }
  const known: Readonly<Record<string, number>> = constants.signals;
  return known[`SIG${name}`];
}

/** Signals that tell a program something; after any other one a user is taken to have ended the container. */
const NOTICES: ReadonlySet<string> = new Set(["HUP", "USR1", "USR2", "CONT", "STOP", "TSTP", "URG", "WINCH"]);

/** Whether sending this signal means that the container is to end, so that its policy does not start it again. */
export function isMeantToEnd(config: Pick<ContainerConfig, "StopSignal">, signal: string): boolean {
  const number = signalNumber(signal);
  if (number === signalNumber(config.StopSignal ?? "TERM")) return true;
  return ![...NOTICES].some((name) => numberOfName(name) === number);
}
