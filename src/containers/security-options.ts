// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { TareError, ioError, suggest } from "../base/index.ts";

/** `--security-opt`, parsed. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp: "default" | "unconfined" | Readonly<Record<string, unknown>>;
  readonly apparmorProfile?: string;
  readonly systemPathsUnconfined: boolean;
}

type Change = (value: string) => Partial<SecurityOptions>;

const OPTIONS: Readonly<Record<string, Change>> = {
  "no-new-privileges": (value) => ({ noNewPrivileges: boolean(value) }),
  seccomp: (value) => ({ seccomp: seccompProfile(value) }),
  apparmor: (value) => ({ apparmorProfile: value }),
  systempaths: (value) => ({ systemPathsUnconfined: value === "unconfined" || reject("systempaths", value) }),
  label: () => ({}),
};

/**
 * Reads security options as written: `key=value` or `key:value`; `no-new-privileges` alone means true, which is the
 * default here. Throws `E_USAGE` for an unknown option, `E_IO` for a profile that can't be read.
 */
export function parseSecurityOptions(texts: readonly string[]): SecurityOptions {
  const parts = texts.map((text) => {
    const [, key = text, value = ""] = /^([^=:]+)[=:](.*)$/s.exec(text) ?? [];
    const change = Object.hasOwn(OPTIONS, key) ? OPTIONS[key] : undefined;
    return change ? change(value) : unknownOption(key);
  });
  const defaults: SecurityOptions = { noNewPrivileges: true, seccomp: "default", systemPathsUnconfined: false };
  return Object.assign({}, defaults, ...parts) as SecurityOptions;
}

function boolean(value: string): boolean {
  if (value === "" || value === "true" || value === "1") return true;
  return (value === "false" || value === "0" ? false : undefined) ?? reject("no-new-privileges", value);
}

function seccompProfile(value: string): SecurityOptions["seccomp"] {
  if (value === "unconfined") return "unconfined";
  if (value === "" || value === "default" || value === "builtin") return "default";
  try {
    const profile: unknown = JSON.parse(readFileSync(value, "utf8"));
    if (typeof profile === "object" && profile !== null) return profile as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw ioError(`reading the seccomp profile \`${value}\``, error);
  }
  return reject("seccomp", `${value} (not a JSON object)`);
}

function reject(key: string, value: string): never {
  throw new TareError("E_USAGE", `reading the security option \`${key}\`: \`${value}\` is not a valid value`, {
    exitCode: 125,
  });
}

function unknownOption(key: string): never {
  const known = Object.keys(OPTIONS);
  const near = suggest(key, known);
  throw new TareError("E_USAGE", `reading the security option \`${key}\`: there is no such option`, {
    hint: near ? `did you mean \`${near}\`?` : `options: ${known.join(", ")}`,
    exitCode: 125,
  });
}
