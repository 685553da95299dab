// SPDX-License-Identifier: Apache-2.0
import { TareError, readTextIfPresent } from "../base/index.ts";
import type { ErrorCode } from "../base/index.ts";

/** The texts of the error lines in a runtime's JSON log, oldest first. */
export function logErrors(log: string): string[] {
  return log.split("\n").flatMap((line) => {
    try {
      const entry: unknown = JSON.parse(line);
      return isLogEntry(entry) && ["error", "fatal", "panic"].includes(entry.level) ? [entry.msg] : [];
    } catch {
      return [];
    }
  });
}

/** The last line that is not empty, without a logger's dress. */
export function lastLine(text: string): string {
  const line = text.trim().split("\n").at(-1) ?? "";
  return /msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1]?.replaceAll(/\\(.)/g, "$1") ?? line;
}

/** The last error that a runtime wrote to its log file, or undefined. */
export function lastLogError(path: string): string | undefined {
  return logErrors(readTextIfPresent(path) ?? "").at(-1);
}

interface FailureKind {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly exitCode: 125 | 126 | 127;
  readonly why: (command: string) => string;
  readonly hint?: string;
}

// First match wins. The texts are those of runc 1.0-1.4 and crun 1.x.
const KINDS: readonly FailureKind[] = [
  {
    // `start` opens and removes this FIFO of the runtime's own state: that it is gone says nothing of the program.
    pattern: /exec\.fifo|container does not exist|start an already running container|opening file .*\/status`/,
    code: "E_RUNTIME",
    exitCode: 125,
    why: () => "the runtime's state of it was deleted meanwhile",
    hint: "start it again; only Tare itself may delete files in the folder for run-time files (`tare info` names it)",
  },
  {
    pattern: /container that has stopped|process is already dead|^container `\w+` is not running/,
    code: "E_RUNTIME",
    exitCode: 125,
    why: () => "it was killed meanwhile",
    hint: "start it again; its memory limit may be too small for the runtime, or another program has killed it",
  },
  {
    pattern: /\bcwd\b|chdir to|working directory|container init: mkdir /i,
    code: "E_CWD",
    exitCode: 125,
    why: () => "its working directory can't be used",
    hint: "check WORKDIR in the Dockerfile, `--workdir` on the command line, and the permissions of the user it runs as",
  },
  {
    pattern: /exec format error/i,
    code: "E_EXEC_FORMAT",
    exitCode: 126,
    why: (command) => `\`${command}\` is not a program for this machine`,
    hint: "the image may be for another processor, or a script lacks its first line (`#!/bin/sh`)",
  },
  {
    pattern:
      /(?:executable file .*not found|exec.*no such file or directory|stat .*no such file or directory.*exec|open executable: no such file|not found in \$PATH)/i,
    code: "E_EXEC_NOENT",
    exitCode: 127,
    why: (command) => `\`${command}\` is not in the image`,
    hint: "check the spelling and PATH; for a script also the interpreter in its first line, for a program its dynamic loader",
  },
  {
    pattern: /(?:exec|executable).*(?:permission denied|is a directory|not a directory|operation not permitted)/i,
    code: "E_EXEC_DENIED",
    exitCode: 126,
    why: (command) => `\`${command}\` is not executable for this user`,
    hint: "check its mode (`chmod +x`) and that the user may reach it",
  },
];

/** Turns a runtime's error text into the error that the user sees: exit code 127, 126 or 125 as Docker's. */
export function runtimeFailure(doing: string, message: string, command: string): TareError {
  const text = cleanMessage(message);
  const kind = KINDS.find(({ pattern }) => pattern.test(text));
  if (kind === undefined) return new TareError("E_RUNTIME", `${doing}: ${text}`, { exitCode: 125 });
  return new TareError(kind.code, `${doing}: ${kind.why(command)}`, {
    exitCode: kind.exitCode,
    ...hintFor(kind, command),
    details: { runtime: text },
  });
}

/** What begins with a dash was meant as an option. */
function hintFor({ code, hint }: (typeof KINDS)[number], command: string): { readonly hint?: string } {
  if (code === "E_EXEC_NOENT" && command.startsWith("-")) {
    return { hint: "options go before the name of the image or container; what follows it is the command" };
  }
  return hint === undefined ? {} : { hint };
}

/** Without the chain of prefixes that says nothing to a user. */
function cleanMessage(message: string): string {
  return message
    .replace(/^(?:runc|crun) \w+ failed: /, "")
    .replace(/^(?:unable to start container process|container_linux\.go:\d+|starting container process caused): /, "")
    .trim();
}

function isLogEntry(value: unknown): value is { readonly level: string; readonly msg: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "level" in value &&
    "msg" in value &&
    typeof value.level === "string" &&
    typeof value.msg === "string"
  );
}
