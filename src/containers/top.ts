// SPDX-License-Identifier: Apache-2.0
import { TareError, execute } from "../base/index.ts";
import type { ContainersContext } from "./context.ts";
import { findRunning } from "./starting.ts";

/** Of a host with very many processes. */
const LARGEST_TABLE = 64 << 20;

/** What `ps` of this host says about the processes of a container. */
export interface ContainerProcesses {
  readonly titles: readonly string[];
  /** As many values as titles; the last one may hold spaces. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * Runs this host's `ps` with these arguments and keeps what is of the container. Throws `E_CONTAINER_STATE`,
 * `E_PROGRAM_FAILED` for arguments that `ps` refuses, `E_USAGE` for a table without pids.
 */
export async function containerProcesses(
  context: ContainersContext,
  text: string,
  words: readonly string[],
): Promise<ContainerProcesses> {
  const { record } = await findRunning(context, text, "listing the processes of");
  const pids = await context.runtime.processes(record);
  const { titles, rows } = parseTable(await processTable(words));
  const column = titles.indexOf("PID");
  if (column < 0) {
    throw new TareError("E_USAGE", `listing the processes of \`${record.name}\`: \`ps\` prints no column PID`, {
      hint: "ask for it, for example with `-o pid,cmd`",
    });
  }
  const own = new Set(pids.map(String));
  return { titles, rows: rows.filter((row) => own.has(row[column] ?? "")) };
}

async function processTable(words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await execute("ps", words, { keep: LARGEST_TABLE });
  if (code === 0) return stdout;
  const why = stderr.split("\n").find((line) => line.trim() !== "") ?? `exit code ${code}`;
  throw new TareError("E_PROGRAM_FAILED", `listing processes with \`ps ${words.join(" ")}\`: ${why}`);
}

function parseTable(text: string): ContainerProcesses {
  const [head = "", ...lines] = text.split("\n").filter((line) => line.trim() !== "");
  const titles = head.trim().split(/\s+/);
  const rows = lines.map((line) => {
    const values = line.trim().split(/\s+/);
    const last = titles.length - 1;
    return values.length <= titles.length ? values : [...values.slice(0, last), values.slice(last).join(" ")];
  });
  return { titles, rows };
}
