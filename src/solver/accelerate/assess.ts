// SPDX-License-Identifier: Apache-2.0
/* What a RUN step is to acceleration, told from its command alone: cheap, and the same on every machine. */
import { clearedPaths, readInstaller } from "./installer-command.ts";
import { quote } from "./probe-script.ts";
import { readScript } from "./shell-command.ts";
import type { RunOp } from "../../graph/index.ts";
import type { InstallerCommand } from "./installer-command.ts";
import type { SimpleCommand } from "./shell-command.ts";

/** One installation of a step. */
export interface Install {
  readonly command: InstallerCommand;
  /** The command as written, with the `cd` before it; fit to get further words. */
  readonly text: string;
}

/** A step that does nothing but install, one time or several. */
export interface Candidate {
  readonly installs: readonly Install[];
  /** Caches that it removes, which must not be there before. Absolute paths. */
  readonly clears: readonly string[];
  /** Words that start the step's shell; empty for a step without one. */
  readonly shell: readonly string[];
}

/** What a step is: a candidate, an installation that is none with the reason, or neither. */
export type Assessment = Candidate | { readonly reason: string } | undefined;

const MENTIONS = /(?:^|[\s;&|/])(?:(?:pip3?(?:\.\d+)?|uv pip)\s+install|uv\s+sync)(?:\s|$)/;

/** Assesses a step. */
export function assess(op: RunOp): Assessment {
  const { shell, script } = scriptOf(op);
  if (script === undefined) return undefined;
  const environment = new Map([["HOME", "/root"], ...op.env.map((entry) => splitPair(entry))] as const);
  const reading = readScript(script, environment);
  if ("reason" in reading) return MENTIONS.test(script) ? { reason: `it has ${reading.reason}` } : undefined;
  const sorted = sort(reading.commands, environment);
  if (sorted === undefined || "reason" in sorted) return sorted;
  const obstacle = obstacleOf(op);
  return obstacle === undefined ? { ...sorted, shell } : { reason: obstacle };
}

function obstacleOf(op: RunOp): string | undefined {
  if (op.user !== "" && !/^(?:root|0)(?::(?:root|0))?$/.test(op.user)) return "it does not run as root";
  if (op.security === "insecure") return "it has --security=insecure";
  if (op.devices.length > 0) return "it has --device";
  return undefined;
}

/** The step as one shell script, and the shell. A login shell would read files first. */
function scriptOf({ args }: RunOp): { readonly shell: readonly string[]; readonly script?: string } {
  const [program = "", ...rest] = args;
  if (!/(?:^|\/)(?:ba|da|a)?sh$/.test(program)) return { shell: [], script: args.map(quote).join(" ") };
  const flags = rest.slice(0, -1).join(" ");
  const isPlain = /^(?:-[eux]+ |-[eux]*o pipefail )*-[eux]*(?:o pipefail -)?c$/.test(flags);
  const script = rest.at(-1);
  return { shell: args.slice(0, -1), ...(isPlain && script !== undefined ? { script } : {}) };
}

function splitPair(entry: string): readonly [string, string] {
  const at = entry.indexOf("=");
  return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
}

type Sorted = Omit<Candidate, "shell"> | { readonly reason: string } | undefined;

/** Undefined when nothing is installed. */
function sort(commands: readonly SimpleCommand[], environment: ReadonlyMap<string, string>): Sorted {
  const installs: Install[] = [];
  const clears: string[] = [];
  let reason: string | undefined;
  let doesMore = false;
  let folder = "";
  for (const command of commands) {
    const cleared = clearedPaths(command);
    const reading = readInstaller(command, environment);
    if (cleared) clears.push(...cleared);
    else if (isChangeOfFolder(command)) folder += `${command.text} && `;
    else if (reading === undefined) doesMore ||= !doesNothing(command);
    else if ("reason" in reading) reason ??= reading.reason;
    else installs.push({ command: reading.command, text: folder + command.text });
  }
  if (installs.length === 0) return reason === undefined ? undefined : { reason };
  if (doesMore) return { reason: "it does more than install" };
  return reason === undefined ? { installs, clears } : { reason };
}

function isChangeOfFolder({ words, assignments }: SimpleCommand): boolean {
  return words.length === 2 && words[0] === "cd" && assignments.length === 0;
}

/** `set -eux` matters only when a command fails; then the step runs as written. */
function doesNothing({ words, assignments }: SimpleCommand): boolean {
  const text = words.join(" ");
  return assignments.length === 0 && /^(?:true|:|set(?: (?:-[eux]*o pipefail|-[eux]+))+)$/.test(text);
}
