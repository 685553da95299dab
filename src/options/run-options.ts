// SPDX-License-Identifier: Apache-2.0
import { cut, parseInteger, usage } from "./usage.ts";

/** When `run` and `create` pull the image. */
export type PullPolicy = "always" | "missing" | "never";

/** The standard streams that a client attaches to. */
export interface AttachedStreams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** The flags of `run` that decide what is attached. */
export interface AttachFlags {
  readonly attach?: readonly string[];
  readonly interactive?: boolean;
  readonly detach?: boolean;
}

/** Parses `--pull always|missing|never`. Throws `E_USAGE` with Docker's text. */
export function parsePullPolicy(text: string): PullPolicy {
  if (text === "always" || text === "missing" || text === "never") return text;
  throw usage(`invalid pull option: '${text}': must be one of "always", "missing" or "never"`);
}

/** Parses `-a STDIN|STDOUT|STDERR`. Throws `E_USAGE` with Docker's text. */
export function parseAttach(text: string): keyof AttachedStreams {
  const stream = text.toLowerCase();
  if (stream === "stdin" || stream === "stdout" || stream === "stderr") return stream;
  throw usage("valid streams are STDIN, STDOUT and STDERR");
}

/** What `run` attaches to: by default stdout and stderr, and stdin with `-i`. Throws `E_USAGE` for `-a` with `-d`. */
export function resolveAttach(flags: AttachFlags): AttachedStreams {
  const named = (flags.attach ?? []).map(parseAttach);
  if (flags.detach === true) {
    if (named.length > 0) throw usage("conflicting options: cannot specify both --attach and --detach");
    return { stdin: false, stdout: false, stderr: false };
  }
  if (named.length === 0) return { stdin: flags.interactive === true, stdout: true, stderr: true };
  const stdin = named.includes("stdin") || flags.interactive === true;
  return { stdin, stdout: named.includes("stdout"), stderr: named.includes("stderr") };
}

/** Parses `--detach-keys ctrl-p,ctrl-q` into the bytes to look for. Throws `E_USAGE` with Docker's text. */
export function parseDetachKeys(text: string): readonly number[] {
  return text.split(",").map((key) => {
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
    if (control === undefined) {
      throw usage(`invalid detach keys (${text}): unknown character: '${key}'`, "for example ctrl-p,ctrl-q");
    }
    return control.toUpperCase().charCodeAt(0) - 64;
  });
}

/** Parses `--sysctl name=value`; both are confined to the characters of sysctl names and values (CVE-2022-0811). */
export function parseSysctl(text: string): readonly [name: string, value: string] {
  const { key, value } = cut(text, "=");
  if (value !== undefined && /^[a-z0-9][a-z0-9_./-]*$/i.test(key) && /^[\w .,:/-]*$/.test(value)) return [key, value];
  throw usage(`invalid sysctl \`${text}\``, "expected name=value");
}

/** Parses `--pids-limit`: a number, 0 or -1 for none. Throws `E_USAGE`. */
export function parsePidsLimit(text: string): number {
  const limit = parseInteger(text);
  if (typeof limit === "number" && limit >= -1) return limit;
  throw usage(`invalid pids limit \`${text}\``, "a number, or -1 for unlimited");
}
