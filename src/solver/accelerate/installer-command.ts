// SPDX-License-Identifier: Apache-2.0
/*
 * Which installer a RUN step calls, and whether its result can be had from wheels alone. Options are sorted into those
 * that change nothing about *what* is installed where (or that the dry run obeys by itself), and all others, for which
 * the step runs as written.
 */
import { PIP_FLAGS, PIP_WITH_VALUE, WHY_NOT, localTarget, splitOption } from "./installer-options.ts";
import { pipObstacle } from "./installer-settings.ts";
import { readUv } from "./uv-command.ts";
import type { SimpleCommand } from "./shell-command.ts";

/** An installation that wheels can replace, if its dry run agrees. */
export interface InstallerCommand {
  readonly tool: "pip" | "uv" | "uv sync";
  /** Words that start the installer: `pip`, or `python3 -m pip`. */
  readonly program: readonly string[];
  /** `--no-compile`: no bytecode was wanted; `--compile-bytecode` of uv: it was; undefined: it is not said here. */
  readonly compile: boolean | undefined;
  /** uv's options that choose indexes, to ask them again for the files. */
  readonly indexOptions: readonly string[];
  /** Options of `uv sync` that choose packages, to ask for them with their files. */
  readonly chosen?: readonly string[];
  /** `--break-system-packages`: also where the distribution manages Python (PEP 668). */
  readonly breaksSystem: boolean;
  /** uv takes the interpreter of the system, not of the virtual environment in force. */
  readonly isSystem: boolean;
}

/** A reading of a command: an installation, why one can't be replaced, or undefined for something else. */
export type InstallerReading = { readonly command: InstallerCommand } | { readonly reason: string } | undefined;

const PIP = /^(?:\/[^ ]*\/)?pip(?:3(?:\.\d+)?)?$/;
const PYTHON = /^(?:\/[^ ]*\/)?python(?:3(?:\.\d+)?)?$/;
const UV = /^(?:\/[^ ]*\/)?uv$/;

/** Reads one command. `environment` is that of the step. */
export function readInstaller(
  { words, assignments }: SimpleCommand,
  environment: ReadonlyMap<string, string> = new Map(),
): InstallerReading {
  const [first = "", second, third] = words;
  const isModule = PYTHON.test(first) && second === "-m" && third === "pip";
  if (PIP.test(first) || isModule) {
    const program = words.slice(0, isModule ? 3 : 1);
    const reading = readPip(program, words.slice(program.length));
    const obstacle = reading && assignments.map(([name]) => pipObstacle(name)).find((reason) => reason !== undefined);
    return obstacle === undefined ? reading : { reason: obstacle };
  }
  if (UV.test(first)) return readUv(first, words.slice(1), new Map([...environment, ...assignments]));
  return undefined;
}

/** The caches of installers that a command removes, as absolute paths; undefined for any other command. */
export function clearedPaths({ words, assignments }: SimpleCommand): readonly string[] | undefined {
  const [first = "", ...rest] = words;
  if (assignments.length > 0) return undefined;
  if (PIP.test(first)) return rest.join(" ") === "cache purge" ? ["/root/.cache/pip"] : undefined;
  if (UV.test(first)) return rest.join(" ") === "cache clean" ? ["/root/.cache/uv"] : undefined;
  const paths = rest.filter((word) => !word.startsWith("-")).map((word) => word.replace(/\/\*?$/, ""));
  const isCache = (path: string): boolean => /^\/root\/\.cache(?:\/(?:pip|uv)(?:\/[\w.-]+)*)?$/.test(path);
  const areCaches = first === "rm" && paths.length > 0 && paths.every((path) => isCache(path) && !path.includes(".."));
  return areCaches ? paths : undefined;
}

function readPip(program: readonly string[], words: readonly string[]): InstallerReading {
  const { globals, rest } = pipGlobals(words);
  if (rest[0] !== "install") return undefined;
  const options = pipOptions([...globals, ...rest.slice(1)]);
  if ("reason" in options) return options;
  if (!options.hasTarget) return { reason: "nothing to install is named" };
  const { compile, breaksSystem } = options;
  return { command: { tool: "pip", program, compile, indexOptions: [], breaksSystem, isSystem: true } };
}

/** Options that stand before `install`. */
function pipGlobals(words: readonly string[]): {
  readonly globals: readonly string[];
  readonly rest: readonly string[];
} {
  let at = 0;
  while (words[at]?.startsWith("-")) at += PIP_WITH_VALUE.has(words[at] ?? "") ? 2 : 1;
  return { globals: words.slice(0, at), rest: words.slice(at) };
}

type PipOptions =
  | { readonly compile: boolean | undefined; readonly hasTarget: boolean; readonly breaksSystem: boolean }
  | { readonly reason: string };

function pipOptions(words: readonly string[]): PipOptions {
  let compile: boolean | undefined;
  let hasTarget = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const [name = "", value] = word.startsWith("--") ? splitOption(word) : [shortName(word), undefined];
    if (!word.startsWith("-")) {
      const reason = localTarget(word);
      if (reason !== undefined) return { reason };
      hasTarget = true;
    } else if (PIP_WITH_VALUE.has(name)) {
      if (name === "-r" || name === "--requirement") hasTarget = true;
      if (value === undefined && name === word) at += 1;
    } else if (PIP_FLAGS.has(word)) {
      if (word === "--compile" || word === "--no-compile") compile = word === "--compile";
    } else return { reason: WHY_NOT.get(name) ?? `the option ${name} is not known to leave wheels as they are` };
  }
  return { compile, hasTarget, breaksSystem: words.includes("--break-system-packages") };
}

/** `-rrequirements.txt` is `-r`, `-qq` itself. */
function shortName(word: string): string {
  return PIP_FLAGS.has(word) ? word : word.slice(0, 2);
}
