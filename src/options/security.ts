// SPDX-License-Identifier: Apache-2.0
import { usage } from "./usage.ts";

/** `--security-opt` after `systempaths` was taken out: undefined paths mean the defaults, [] means none. */
export interface SystemPaths {
  readonly rest: readonly string[];
  readonly maskedPaths: readonly string[] | undefined;
  readonly readonlyPaths: readonly string[] | undefined;
}

/** All `--security-opt` values in one typed value. `seccomp` other than `unconfined` and `builtin` is a file's path. */
export interface SecurityOptions {
  readonly noNewPrivileges?: boolean;
  readonly seccomp?: string;
  readonly apparmor?: string;
  readonly labels: readonly string[];
  readonly labelDisabled: boolean;
  readonly systemPathsUnconfined: boolean;
  readonly writableCgroups?: boolean;
}

/** Takes `systempaths=unconfined` out of the options, as Docker's client does. */
export function parseSystemPaths(options: readonly string[]): SystemPaths {
  const rest = options.filter((option) => option !== "systempaths=unconfined");
  const paths = rest.length === options.length ? undefined : [];
  return { rest, maskedPaths: paths, readonlyPaths: paths };
}

/** Parses `--security-opt` values. Throws `E_USAGE` for an unknown one. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  const initial: SecurityOptions = { labels: [], labelDisabled: false, systemPathsUnconfined: false };
  return options.reduce(applyOption, initial);
}

function applyOption(current: SecurityOptions, option: string): SecurityOptions {
  const separator = option.search(/[=:]/);
  const key = separator < 0 ? option : option.slice(0, separator);
  const value = separator < 0 ? undefined : option.slice(separator + 1);
  if (key === "no-new-privileges") return { ...current, noNewPrivileges: booleanOf(value, option) };
  if (key === "writable-cgroups") return { ...current, writableCgroups: booleanOf(value, option) };
  if (value === undefined || value === "") throw invalid(option);
  if (key === "seccomp") return { ...current, seccomp: value };
  if (key === "apparmor") return { ...current, apparmor: value };
  if (key === "label" && value === "disable") return { ...current, labelDisabled: true };
  if (key === "label" && /^(?:user|role|type|level|filetype|nested)(?::|$)/.test(value)) {
    return { ...current, labels: [...current.labels, value] };
  }
  if (key === "systempaths" && value === "unconfined") return { ...current, systemPathsUnconfined: true };
  throw invalid(option);
}

function booleanOf(value: string | undefined, option: string): boolean {
  if (value === undefined || /^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw invalid(option);
}

function invalid(option: string): Error {
  return usage(
    `invalid --security-opt: "${option}"`,
    "known are no-new-privileges, seccomp=FILE|unconfined, apparmor=PROFILE, label=…, systempaths=unconfined",
  );
}
