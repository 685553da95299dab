// SPDX-License-Identifier: Apache-2.0
import { cut, usage } from "./usage.ts";

/** A user or group by number or by name. */
export type Principal = { readonly kind: "id"; readonly id: number } | { readonly kind: "name"; readonly name: string };

/** `user[:group]`; an absent part takes its default (root, the user's own group). */
export interface UserSpec {
  readonly user?: Principal;
  readonly group?: Principal;
}

const ID_LIMIT = 2 ** 31 - 1;
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,254}\$?$/;

/**
 * Parses `USER` or `-u user[:group]` by its syntax; digits are always a number, never looked up as a name
 * (CVE-2026-46680), and stop at 2^31-1 (CVE-2024-40635). Throws `E_USAGE`.
 */
export function parseUser(text: string): UserSpec {
  const { key, value } = cut(text, ":");
  return {
    ...(key === "" ? {} : { user: parsePrincipal(key, text) }),
    ...(value === undefined || value === "" ? {} : { group: parsePrincipal(value, text) }),
  };
}

function parsePrincipal(text: string, whole: string): Principal {
  if (/^[0-9]+$/.test(text)) {
    const id = Number(text);
    if (id <= ID_LIMIT) return { kind: "id", id };
    throw usage(`parsing user \`${whole}\`: the number \`${text.slice(0, 40)}\` is above ${ID_LIMIT}`);
  }
  if (NAME.test(text)) return { kind: "name", name: text };
  throw usage(
    `parsing user \`${whole.slice(0, 100)}\`: not a user or group`,
    "expected user[:group], names or numbers",
  );
}
