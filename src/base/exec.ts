// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { TareError, messageOf, systemErrorCode } from "./errors.ts";

/** How a program is started by `execute`. */
export interface ExecuteOptions {
  readonly cwd?: string;
  /** The whole environment of the child; default: this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Receives output as it comes, besides being collected. */
  readonly onOutput?: (stream: 1 | 2, data: Buffer) => void;
  /** Largest output kept in memory per stream in bytes; the tail is kept. Default 1 MiB. */
  readonly keep?: number;
}

/** What a finished program left. */
export interface ExecuteResult {
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end and collects its output. Never throws for a non-zero exit.
 * Throws `E_PROGRAM_MISSING` when it is not installed, `E_ABORTED` when `signal` fires.
 */
export function execute(
  command: string,
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<ExecuteResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const abort = (): void => void child.kill("SIGKILL");
    options.signal?.addEventListener("abort", abort, { once: true });
    const stdout = new Tail(options.keep ?? 1 << 20);
    const stderr = new Tail(options.keep ?? 1 << 20);
    child.stdout?.on("data", (data: Buffer) => (stdout.push(data), options.onOutput?.(1, data)));
    child.stderr?.on("data", (data: Buffer) => (stderr.push(data), options.onOutput?.(2, data)));
    child.stdin?.on("error", () => undefined).end(options.input);
    child.on("error", (error) => {
      options.signal?.removeEventListener("abort", abort);
      reject(startFailure(command, error));
    });
    child.on("close", (code, signal) => {
      options.signal?.removeEventListener("abort", abort);
      if (options.signal?.aborted)
        reject(new TareError("E_ABORTED", `running \`${command}\`: interrupted`, { exitCode: 130 }));
      else resolve({ code: code ?? 128, signal, stdout: stdout.text(), stderr: stderr.text() });
    });
  });
}

/** Runs a program and returns its stdout. Throws `E_PROGRAM_FAILED` with the last lines of stderr. */
export async function executeOrThrow(
  command: string,
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<string> {
  const result = await execute(command, args, options);
  if (result.code === 0 && result.signal === null) return result.stdout;
  const how = result.signal ? `killed by ${result.signal}` : `exit code ${result.code}`;
  const last = (result.stderr.trim() || result.stdout.trim()).split("\n").slice(-5).join("\n");
  throw new TareError("E_PROGRAM_FAILED", `running \`${command} ${args.join(" ")}\`: ${how}${last ? `: ${last}` : ""}`);
}

/** The error for a program that could not be started. */
export function startFailure(command: string, error: unknown): TareError {
  if (systemErrorCode(error) !== "ENOENT") {
    return new TareError("E_PROGRAM_FAILED", `starting \`${command}\`: ${messageOf(error)}`, { cause: error });
  }
  return new TareError("E_PROGRAM_MISSING", `starting \`${command}\`: not installed`, {
    hint: "run `tare system check` to see what this host lacks, `tare system install` to install it",
    cause: error,
  });
}

/** Keeps the last `limit` bytes of a stream. */
class Tail {
  #chunks: Buffer[] = [];
  #size = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(data: Buffer): void {
    this.#chunks.push(data);
    this.#size += data.length;
    while (this.#size - (this.#chunks[0]?.length ?? 0) >= this.#limit) this.#size -= this.#chunks.shift()?.length ?? 0;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString("utf8");
  }
}
