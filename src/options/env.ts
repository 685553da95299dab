// SPDX-License-Identifier: Apache-2.0
import { cut, usage } from "./usage.ts";

/** The variables that `-e NAME` and a bare name in an env file take their values from. */
export type Environment = Readonly<Record<string, string | undefined>>;

const BOM = "\uFEFF";

/**
 * Parses `-e NAME=value` or `-e NAME`. The result is `NAME=value`, or the bare `NAME` when the environment has no such
 * variable (Docker then removes it from the container). Throws `E_USAGE`.
 */
export function parseEnv(text: string, environment: Environment): string {
  const { key, value } = cut(text, "=");
  if (key === "") throw usage(`invalid environment variable: ${text}`);
  refuseNul(text);
  if (value !== undefined) return text;
  const found = lookUp(environment, key);
  return found === undefined ? text : `${key}=${found}`;
}

/** Parses `--env-file` content into `NAME=value` lines. Throws `E_USAGE`; a caller adds the file's name. */
export function parseEnvFile(content: Uint8Array | string, environment: Environment): readonly string[] {
  return parseKeyValueFile(content, (name) => lookUp(environment, name));
}

/** Parses a file of `name=value` lines (`--label-file` too); a bare name without a value from `find` is left out. */
export function parseKeyValueFile(
  content: Uint8Array | string,
  find: (name: string) => string | undefined,
): readonly string[] {
  const text = typeof content === "string" ? content : decode(content);
  const lines = (text.startsWith(BOM) ? text.slice(1) : text).split("\n");
  return lines.flatMap((line) => parseLine(line.replace(/\r$/, "").replace(/^[ \t]+/, ""), find));
}

function parseLine(line: string, find: (name: string) => string | undefined): readonly string[] {
  if (line === "" || line.startsWith("#")) return [];
  const { key, value } = cut(line, "=");
  if (key === "") throw usage(`no variable name on line '${line}'`);
  if (/[ \t]/.test(key)) throw usage(`variable '${key}' contains whitespaces`);
  refuseNul(line);
  if (value !== undefined) return [line];
  const found = find(key);
  return found === undefined ? [] : [`${key}=${found}`];
}

function decode(content: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usage("reading environment file: it is not UTF-8 text");
  }
}

function refuseNul(text: string): void {
  if (text.includes("\0")) throw usage("invalid environment variable: it contains a NUL byte");
}

function lookUp(environment: Environment, name: string): string | undefined {
  return Object.hasOwn(environment, name) ? environment[name] : undefined;
}

/**
 * The environment that results from a base (the image's) and settings in order of rising strength. A later setting
 * replaces the value in place; a bare `NAME` removes the variable.
 */
export function mergeEnv(base: readonly string[], settings: readonly string[]): readonly string[] {
  const merged = new Map<string, string>();
  for (const setting of [...base, ...settings]) {
    const { key, value } = cut(setting, "=");
    if (value === undefined) merged.delete(key);
    else merged.set(key, setting);
  }
  return [...merged.values()];
}
