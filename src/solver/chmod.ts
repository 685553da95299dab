// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";

/** Gives the new permission bits (07777) of a file from its old ones. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

const CLAUSE = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/;
const BITS = { r: 0o444, w: 0o222, x: 0o111 } as const;
const WHO = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 } as const;

/**
 * Parses `--chmod`: octal between 0 and 07777, or symbolic as chmod(1) without a umask (`u=rwX,go=rX`).
 * Throws `E_CHMOD`.
 */
export function parseChmod(text: string): { readonly change: ModeChange; readonly octal?: number } {
  if (/^[0-7]+$/.test(text)) {
    const octal = Number.parseInt(text, 8);
    if (octal > 0o7777) throw badMode(text);
    return { change: () => octal, octal };
  }
  const clauses = text.split(",").map((clause) => parseClause(text, clause));
  return { change: (mode, isDirectory) => clauses.reduce((value, apply) => apply(value, isDirectory), mode) };
}

function badMode(text: string): TareError {
  return new TareError(
    "E_CHMOD",
    `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
    { hint: "for example `--chmod=0644` or `--chmod=u=rwX,go=rX`" },
  );
}

function parseClause(text: string, clause: string): ModeChange {
  const match = CLAUSE.exec(clause);
  if (!match) throw badMode(text);
  const [, who = "", actions = ""] = match;
  const mask = [...(who || "a")].reduce((bits, letter) => bits | (WHO[letter as keyof typeof WHO] ?? 0), 0);
  const steps = [...actions.matchAll(/([-+=])([rwxXst]+|[ugo]|)/g)];
  return (mode, isDirectory) =>
    steps.reduce(
      (value, [, operator = "=", what = ""]) => applyStep({ value, mask, operator, what, isDirectory }),
      mode,
    );
}

interface Step {
  readonly value: number;
  readonly mask: number;
  readonly operator: string;
  readonly what: string;
  readonly isDirectory: boolean;
}

function applyStep({ value, mask, operator, what, isDirectory }: Step): number {
  const bits = wantedBits(value, what, isDirectory) & mask;
  if (operator === "+") return value | bits;
  if (operator === "-") return value & ~bits;
  const kept = isDirectory ? mask & 0o777 : mask;
  return (value & ~kept) | bits;
}

function wantedBits(value: number, what: string, isDirectory: boolean): number {
  if (what === "u") return spread(value >> 6);
  if (what === "g") return spread(value >> 3);
  if (what === "o") return spread(value);
  let bits = 0;
  for (const letter of what) {
    if (letter === "s") bits |= 0o6000;
    else if (letter === "t") bits |= 0o1000;
    else if (letter === "X") bits |= isDirectory || (value & 0o111) !== 0 ? 0o111 : 0;
    else bits |= BITS[letter as keyof typeof BITS] ?? 0;
  }
  return bits;
}

function spread(triple: number): number {
  const bits = triple & 7;
  return (bits << 6) | (bits << 3) | bits;
}
