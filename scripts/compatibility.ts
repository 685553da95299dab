// SPDX-License-Identifier: Apache-2.0
/*
 * The rows of docs/compatibility.md: Docker's commands and flags as its own help names them, against Tare's tables of
 * commands. A row is `same` only where Tare has the option and a script of test/conformance/compatibility names it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadCommand, lookUp } from "../src/cli/index.ts";
import { COMPATIBILITY_CASES } from "../test/conformance/compatibility/cases.ts";
import { DIFFERENT, NOT_PLANNED } from "./compatibility-reasons.ts";

/** `missing` and `untested` are errors of the table, which a test reports. */
export type Status = "same" | "different" | "not planned" | "missing" | "untested";

/** A command of Docker's, or one with a flag. */
export interface CompatibilityRow {
  /** `run`, `run --memory`. */
  readonly name: string;
  readonly command: string;
  readonly flag?: string;
  readonly status: Status;
  readonly reason?: string;
  /** Tare knows it and does not refuse it. */
  readonly isHere: boolean;
}

interface DockerHelp {
  readonly version: string;
  readonly commands: Readonly<Record<string, readonly string[]>>;
}

const HELP = join(import.meta.dirname, "../test/conformance/compatibility/docker-help.json");

/** What Docker has. */
export const DOCKER_HELP: DockerHelp = JSON.parse(readFileSync(HELP, "utf8")) as DockerHelp;

const TESTED: ReadonlySet<string> = new Set(COMPATIBILITY_CASES.flatMap(({ rows }) => rows));

/** All rows, by command. */
export async function compatibilityRows(): Promise<readonly CompatibilityRow[]> {
  const groups = await Promise.all(Object.entries(DOCKER_HELP.commands).map(rowsOf));
  return groups.flat();
}

async function rowsOf([command, flags]: readonly [string, readonly string[]]): Promise<readonly CompatibilityRow[]> {
  const words = command.split(" ");
  const found = lookUp(words);
  const spec = found?.words === words.length ? await loadCommand(found.entry) : undefined;
  const has = (flag: string): boolean => {
    const option = spec?.options.find(({ name }) => name === flag);
    return option !== undefined && option.unsupported === undefined;
  };
  const shown = flags.filter((flag) => flag !== "help");
  return [row(command, undefined, spec !== undefined), ...shown.map((flag) => row(command, flag, has(flag)))];
}

function row(command: string, flag: string | undefined, isHere: boolean): CompatibilityRow {
  const name = flag === undefined ? command : `${command} --${flag}`;
  // `create` takes the options of `run` from the same table.
  const names = command === "create" ? [name, name.replace("create", "run")] : [name];
  const reason = (texts: Readonly<Record<string, string>>): string | undefined =>
    names.map((each) => texts[each]).find((text) => text !== undefined);
  const [notPlanned, different] = [reason(NOT_PLANNED), reason(DIFFERENT)];
  const facts = { name, command, isHere, ...(flag === undefined ? {} : { flag }) };
  if (notPlanned !== undefined) return { ...facts, status: "not planned", reason: notPlanned };
  if (!isHere) return { ...facts, status: "missing" };
  if (!names.some((each) => TESTED.has(each))) return { ...facts, status: "untested" };
  return different === undefined ? { ...facts, status: "same" } : { ...facts, status: "different", reason: different };
}

const HEAD = `# What of Docker's command line Tare has

Every command for containers, volumes and networks with its flags, and \`events\` and \`inspect\`. The list is Docker
${DOCKER_HELP.version}'s own help. \`same\` means that a test runs the same commands with Debian's Docker and with Tare
and compares output, exit codes, fields of \`inspect\` and what the container sees
(\`test/conformance/compatibility\`). What is otherwise on purpose stands in [differences.md](differences.md) at length.
`;

/** The page. */
export async function compatibilityPage(generated: string): Promise<string> {
  const rows = await compatibilityRows();
  const commands = [...new Set(rows.map(({ command }) => command))].filter((command) => command !== "create");
  const sections = commands.map((command) => section(command, rows));
  return `${generated}\n\n${HEAD}\n${summary(rows)}\n\n${sections.join("\n\n")}\n`;
}

function summary(rows: readonly CompatibilityRow[]): string {
  const count = (status: Status): number => rows.filter((each) => each.status === status).length;
  const parts = (["same", "different", "not planned"] as const).map((status) => `${count(status)} ${status}`);
  return `${rows.length} rows: ${parts.join(", ")}.`;
}

function section(command: string, rows: readonly CompatibilityRow[]): string {
  const title = command === "run" ? "## `run` and `create`" : `## \`${command}\``;
  const lines = rows.filter((each) => each.command === command).map(line);
  return [title, "", "| | status | |", "|---|---|---|", ...lines].join("\n");
}

function line({ command, flag, status, reason = "" }: CompatibilityRow): string {
  const what = flag === undefined ? `\`${command}\`` : `\`--${flag}\``;
  return `| ${what} | ${status} | ${reason.replaceAll("|", "\\|")} |`;
}
