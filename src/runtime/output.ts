// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { readTextIfPresent } from "../base/index.ts";
import { logErrors } from "./failure.ts";

/**
 * Where a foreground container's standard streams go. `inherit` is this process's own streams, standard input included.
 * The container never gets this process's terminal as such: it has one of its own (`-t`) or pipes, as with Docker.
 */
export type ForegroundStdio =
  | "inherit"
  | {
      /** Default `ignore`: /dev/null. */
      readonly stdin?: "inherit" | "ignore" | Readable;
      /** Receives the output; without it the output goes to this process's own streams. */
      readonly onOutput?: (stream: 1 | 2, data: Buffer) => void;
    };

/** How the runtime's process is connected. */
export interface StandardStreams {
  readonly stdio: ("inherit" | "pipe" | "ignore")[];
  /** A process group of its own keeps the terminal's Ctrl-C away; impossible where the runtime reads from the terminal. */
  readonly ownGroup: boolean;
}

/** Standard error always goes through us, so that the runtime's own error lines become one clear error. */
export function standardStreams(stdio: ForegroundStdio, terminal: boolean): StandardStreams {
  const { stdin, onOutput } = stdio === "inherit" ? { stdin: "inherit" as const, onOutput: undefined } : stdio;
  const direct = onOutput === undefined && (terminal || !process.stdout.isTTY);
  const input = stdin === "inherit" ? "inherit" : typeof stdin === "object" ? "pipe" : "ignore";
  return {
    stdio: [input, direct ? "inherit" : "pipe", "pipe"],
    ownGroup: !(stdin === "inherit" && process.stdin.isTTY),
  };
}

/** What of the output tells about the start itself. */
export interface CollectedOutput {
  /** Lines that the start or the runtime wrote; they were not passed on. */
  runtimeErrors(): string;
  /**
   * The runtime's `exec PATH: …` line (crun: one of its log): it can still fail to execute the program after it has let go of its log (a missing
   * interpreter, a wrong format). Recognised only when it is all that was ever written.
   */
  lateExecFailure(exitCode: number): string | undefined;
}

const OWN_LINE = /^tare-mount: /;
// runc's text, and crun's, which comes as a line of its log.
const LATE_EXEC =
  /^exec (?:\/\S+|container process .*): (?:no such file or directory|exec format error|permission denied)$/i;

/** Connects a started runtime's pipes to where the task wants them, without the runtime's own error lines. */
export function connectOutput(
  child: ChildProcess,
  stdio: ForegroundStdio,
  log: string,
  terminal: boolean,
): CollectedOutput {
  const held: string[] = [];
  let total = 0;
  let first = "";
  const sink = (stdio === "inherit" ? undefined : stdio.onOutput) ?? writeThrough(child);
  const write = (stream: 1 | 2, data: Buffer): void => {
    if (total === 0 && stream === 2 && data.length < 4096) first = data.toString("utf8");
    total += data.length;
    if (data.length > 0) sink(stream, data);
  };
  child.stdout?.on("data", (data: Buffer) => write(1, data));
  child.stderr?.on("data", (data: Buffer) => write(2, withoutRuntimeLines(data, log, held)));
  connectInput(child, stdio);
  return {
    runtimeErrors: () => held.join(""),
    lateExecFailure: (exitCode) => {
      if (exitCode === 0 || terminal || total !== Buffer.byteLength(first)) return undefined;
      const text = logErrors(first).at(0) ?? first.trim();
      return LATE_EXEC.test(text) ? text : undefined;
    },
  };
}

function connectInput(child: ChildProcess, stdio: ForegroundStdio): void {
  if (child.stdin === null) return;
  child.stdin.on("error", () => undefined);
  if (stdio !== "inherit" && typeof stdio.stdin === "object") stdio.stdin.pipe(child.stdin);
}

/** Takes out the lines that the runtime also wrote to its log as errors, and a failed mount's. */
function withoutRuntimeLines(data: Buffer, log: string, held: string[]): Buffer {
  const text = data.toString("utf8");
  if (held.length > 0 || OWN_LINE.test(text)) {
    held.push(text);
    return Buffer.alloc(0);
  }
  const errors = new Set(logErrors(readTextIfPresent(log) ?? "").flatMap((message) => message.split("\n")));
  if (errors.size === 0) return data;
  const [dropped, kept] = [[], []] as [string[], string[]];
  for (const line of text.split(/(?<=\n)/)) (errors.has(line.trimEnd()) ? dropped : kept).push(line);
  if (dropped.length === 0) return data;
  return Buffer.from(kept.join(""), "utf8");
}

/** Writes to this process's own streams and slows the container down when they are slow. */
function writeThrough(child: ChildProcess): (stream: 1 | 2, data: Buffer) => void {
  return (stream, data) => {
    const target = stream === 1 ? process.stdout : process.stderr;
    const source = stream === 1 ? child.stdout : child.stderr;
    if (target.write(data) || source === null) return;
    source.pause();
    target.once("drain", () => source.resume());
  };
}
