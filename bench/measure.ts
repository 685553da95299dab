// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A program with its arguments and what it needs besides the environment of the benchmark. */
export interface Command {
  readonly program: string;
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const OUTPUT_LIMIT = 64 * 2 ** 20;

/** Runs a command to its end; throws with its output when it fails. Returns seconds. */
export function timed(command: Command): number {
  return finished(command).seconds;
}

/** The same with what the command printed. */
export function finished(command: Command): { readonly seconds: number; readonly output: string } {
  const started = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command.program, command.words, {
    env: { ...process.env, ...command.env },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: OUTPUT_LIMIT,
  });
  const seconds = (performance.now() - started) / 1000;
  if (status === 0) return { seconds, output: stdout };
  throw new Error(`${commandText(command)}: ${error?.message ?? `${stdout}\n${stderr}`.slice(-2000)}`);
}

/** The largest resident set, in bytes, of a command's own process while it runs. */
export async function peakMemory(command: Command): Promise<number> {
  const child = spawn(command.program, command.words, { env: { ...process.env, ...command.env }, stdio: "ignore" });
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, residentPeak(child.pid ?? 0))), 10);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
  clearInterval(timer);
  if (code !== 0) throw new Error(`${commandText(command)}: exit code ${code}`);
  return peak;
}

/** VmHWM of a process: its peak so far, as the kernel counts it; 0 when it is gone. */
function residentPeak(pid: number): number {
  try {
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** The middle value; of an even number the lower of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

function commandText({ program, words }: Command): string {
  return [program, ...words].join(" ");
}
