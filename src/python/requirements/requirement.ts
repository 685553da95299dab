// SPDX-License-Identifier: Apache-2.0
/** Dependency specifiers (PEP 508): `name[extra]>=1,<2 ; marker` and `name @ url ; marker`. */
import { formatMarker, scanMarker } from "./markers.ts";
import { normalizeName } from "./names.ts";
import { GrammarProblem, parsing } from "./problem.ts";
import type { Scanner } from "./scanner.ts";
import { isAtEnd, skipSpace, take, takeToken, unexpected } from "./scanner.ts";
import { formatSpecifier, operatorHint, scanClauses } from "./specifiers.ts";
import type { Marker, Requirement } from "./types.ts";

const NAME = /[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?/iy;

/** Parses a dependency specifier. Throws `E_REQUIREMENTS` with the column and no credentials. */
export function parseRequirement(text: string): Requirement {
  return parsing("requirement", text.trim(), () => scanRequirement({ text: text.trim(), position: 0 }));
}

function scanRequirement(scanner: Scanner): Requirement {
  const name = take(scanner, NAME);
  if (name === undefined) throw unexpected(scanner, "a name");
  skipSpace(scanner);
  const extras = scanExtras(scanner);
  skipSpace(scanner);
  const version = takeToken(scanner, "@") ? scanUrl(scanner) : { specifier: scanSpecifier(scanner) };
  const marker = scanTail(scanner);
  return { name: normalizeName(name), extras, specifier: "", ...version, ...(marker === undefined ? {} : { marker }) };
}

function scanExtras(scanner: Scanner): readonly string[] {
  if (!takeToken(scanner, "[")) return [];
  const names = new Set<string>();
  skipSpace(scanner);
  while (!takeToken(scanner, "]")) {
    if (names.size > 0 && !takeToken(scanner, ",")) throw unexpected(scanner, "`,` or `]`");
    skipSpace(scanner);
    const name = take(scanner, NAME);
    if (name === undefined) throw unexpected(scanner, "the name of an extra");
    names.add(normalizeName(name));
    skipSpace(scanner);
  }
  return [...names].toSorted();
}

/** A URL ends at white space; one that ends in `;` with a marker behind it is meant as in a requirements file. */
function scanUrl(scanner: Scanner): Pick<Requirement, "url"> {
  skipSpace(scanner);
  const url = take(scanner, /\S+/y);
  if (url === undefined) throw unexpected(scanner, "a URL");
  skipSpace(scanner);
  if (!url.endsWith(";") || url.length === 1 || isAtEnd(scanner)) return { url };
  scanner.position = scanner.text.lastIndexOf(";", scanner.position - 1);
  return { url: url.slice(0, -1) };
}

function scanSpecifier(scanner: Scanner): string {
  const isGrouped = takeToken(scanner, "(");
  skipSpace(scanner);
  const clauses = scanClauses(scanner);
  if (isGrouped && !takeToken(scanner, ")")) throw unexpected(scanner, "`,` or `)`");
  skipSpace(scanner);
  return formatSpecifier(clauses);
}

function scanTail(scanner: Scanner): Marker | undefined {
  if (isAtEnd(scanner)) return undefined;
  const rest = scanner.text.slice(scanner.position);
  if (!takeToken(scanner, ";")) throw unexpected(scanner, "a version specifier, `;` or the end", tailHint(rest));
  skipSpace(scanner);
  if (isAtEnd(scanner)) throw new GrammarProblem("no marker behind `;`");
  const marker = scanMarker(scanner);
  if (!isAtEnd(scanner)) throw unexpected(scanner, "`and`, `or` or the end");
  return marker;
}

function tailHint(rest: string): string | undefined {
  if (rest.startsWith("[")) return "extras stand between name and version: name[extra]==1.0";
  if (rest.startsWith("#")) return "a comment in a requirements file needs a space before the `#`";
  return operatorHint(rest);
}

/** The requirement as text; parsing it gives the same. A URL's credentials are in it. */
export function formatRequirement(requirement: Requirement): string {
  const { name, extras, specifier, url, marker } = requirement;
  const start = `${name}${extras.length === 0 ? "" : `[${extras.join(",")}]`}`;
  const version = url === undefined ? specifier : ` @ ${url}`;
  const end = marker === undefined ? "" : `${url === undefined ? "" : " "}; ${formatMarker(marker)}`;
  return start + version + end;
}
