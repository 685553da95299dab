// SPDX-License-Identifier: Apache-2.0
import { suggest } from "../base/index.ts";
import { cut, parseInteger, usage } from "./usage.ts";

/** A resource limit; -1 is unlimited. */
export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

const NAMES: readonly string[] =
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" ");

/** Parses `--ulimit name=soft[:hard]`. Throws `E_USAGE` with Docker's text. */
export function parseUlimit(text: string): Ulimit {
  const { key: name, value } = cut(text, "=");
  if (value === undefined) throw usage(`invalid ulimit argument: ${text}`, "expected name=soft[:hard]");
  if (!NAMES.includes(name)) {
    const guess = suggest(name, NAMES);
    throw usage(
      `invalid ulimit type: ${name}`,
      guess === undefined ? `one of ${NAMES.join(", ")}` : `did you mean ${guess}?`,
    );
  }
  const limits = value.split(":");
  if (limits.length > 2) {
    throw usage(`too many limit values - ${value}, can only have up to two, \`soft[:hard]\``);
  }
  const [soft = 0, hard = soft] = limits.map((limit) => parseLimit(limit, text));
  const exceeds = hard !== -1 && (soft === -1 || soft > hard);
  if (exceeds) throw usage(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  return { name, soft, hard };
}

function parseLimit(text: string, whole: string): number {
  const value = text === "unlimited" ? -1 : parseInteger(text);
  if (typeof value === "string" || value < -1) throw usage(`invalid ulimit value \`${text}\` in \`${whole}\``);
  return value;
}

/** Parses several limits: the last of a name wins, sorted by name. Throws `E_USAGE`. */
export function parseUlimits(texts: readonly string[]): readonly Ulimit[] {
  const limits = new Map(texts.map((text) => parseUlimit(text)).map((limit) => [limit.name, limit]));
  return [...limits.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
