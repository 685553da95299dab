// SPDX-License-Identifier: Apache-2.0
/*
 * NVML is asked in a child process (`nvml.worker.ts`): a driver that hangs keeps its caller in the kernel, where not even
 * SIGKILL reaches it, and a library that does not fit crashes. This process waits no longer than its limit and goes on.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { TareError } from "../../base/index.ts";
import { returnCodeHint } from "./return-codes.ts";
import type { NvmlAnswer, NvmlQuestion, NvmlReport } from "./types.ts";

/** A driver that no process has open initialises every GPU first, which takes seconds each. */
const LIMIT = 20_000;
const ANSWERS = 3;

/** How long is waited, and when no more. */
export interface AskOptions {
  /** Milliseconds. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly answered: (answer: NvmlAnswer) => void;
  readonly failed: (error: TareError) => void;
}

/** One library of a driver. The process is started by the first question and ended by `close`. */
export class NvmlClient {
  readonly #library: string;
  #child: ChildProcess | undefined;
  #waiting: Waiting | undefined;

  constructor(library: string) {
    this.#library = library;
  }

  /** One question at a time. Throws `E_NVML` with NVML's own words, also when the time is over. */
  async ask(question: NvmlQuestion, { limit = LIMIT, signal }: AskOptions = {}): Promise<NvmlReport> {
    const timer = setTimeout(() => this.#give(this.#error(`no answer for ${limit / 1000} seconds`, HANGS)), limit);
    const abort = (): void =>
      this.#give(new TareError("E_ABORTED", "asking the driver: interrupted", { exitCode: 130 }));
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const answer = await new Promise<NvmlAnswer>((answered, failed) => {
        this.#waiting = { answered, failed };
        (this.#child ??= this.#start()).stdin?.write(`${question}\n`);
      });
      if (answer.kind === "report") return answer.report;
      throw this.#refusal(answer);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#waiting = undefined;
    }
  }

  /** Ends the process; without effect when there is none. */
  close(): void {
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  #start(): ChildProcess {
    const worker = fileURLToPath(new URL("./nvml.worker.ts", import.meta.url));
    const child = spawn(process.execPath, [worker, this.#library], { stdio: ["pipe", "ignore", "ignore", "pipe"] });
    child.on("error", (error) => this.#give(this.#error(error.message)));
    child.on("exit", (code, signal) => {
      if (this.#child === child)
        this.#give(this.#error(`it ended the process that asked (${signal ?? code})`, CRASHES));
    });
    child.stdin?.on("error", () => undefined);
    const answers = child.stdio[ANSWERS];
    if (answers instanceof Readable) {
      createInterface({ input: answers }).on("line", (line) => this.#waiting?.answered(parseAnswer(line)));
    }
    letGo(child);
    return child;
  }

  /** Ends the wait with an error; what hangs is left behind. */
  #give(error: TareError): void {
    this.close();
    this.#waiting?.failed(error);
  }

  #refusal({ during, code, message }: Extract<NvmlAnswer, { kind: "error" }>): TareError {
    if (code === undefined) return this.#error(`loading it: ${message}`);
    return this.#error(`${during}: ${message}`, returnCodeHint(code), { code });
  }

  #error(why: string, hint?: string, details: { readonly code?: number } = {}): TareError {
    const message = `asking NVIDIA's driver by \`${this.#library}\`: ${why}`;
    return new TareError("E_NVML", message, { ...(hint === undefined ? {} : { hint }), details });
  }
}

const HANGS = "the driver hangs: `dmesg | grep -iE 'nvrm|xid'` says why; reset the GPU or reboot";
const CRASHES = "the library does not fit this host; install the driver anew";

/** A child that still runs does not keep this process from ending; while a question is open, its timer does. */
function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of child.stdio)
    if (stream && "unref" in stream && typeof stream.unref === "function") stream.unref();
}

/** A line of `nvml.worker.ts`. */
function parseAnswer(line: string): NvmlAnswer {
  try {
    const answer: unknown = JSON.parse(line);
    if (typeof answer === "object" && answer !== null && "kind" in answer) return answer as NvmlAnswer;
  } catch {
    // Said below.
  }
  return { kind: "error", during: "load", message: `it answers what is no answer: \`${line.slice(0, 80)}\`` };
}
