// SPDX-License-Identifier: Apache-2.0
/* Programs of others that tests compare with: whether they are here, and running them to their end. */
import { spawnSync } from "node:child_process";

/** Whether tests with these programs run here; prints why not. `missing` says why none of the file's tests can. */
export function hasPrograms(missing: string | undefined, ...programs: readonly string[]): boolean {
  const absent = programs.filter((program) => missing !== undefined || missingProgram(program) !== undefined);
  for (const program of absent) console.log(`skipped: ${program}: ${missing ?? "not installed"}`);
  return absent.length === 0;
}

/** The first of these that is not installed; undefined when all are. */
export function missingProgram(...programs: readonly string[]): string | undefined {
  return programs.find((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0);
}

/** Where a program runs; by default as the test does. */
interface ProgramPlace {
  /** On top of the test's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** What a program prints. Throws when it fails. */
export function runProgram(command: string, args: readonly string[], { env = {}, cwd }: ProgramPlace = {}): string {
  const place = { env: { ...process.env, ...env }, ...(cwd === undefined ? {} : { cwd }) };
  const child = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28, ...place });
  if (child.status === 0) return child.stdout;
  throw new Error(`${command} ${args.join(" ")}: ${child.error?.message ?? child.stderr}`);
}
