// SPDX-License-Identifier: Apache-2.0
import { normalizeName } from "../python/index.ts";
import type { Marker, MarkerOperand } from "../python/index.ts";

/** A marker once the wanted extras are known: comparisons with `extra` are decided, the rest stays. */
export function withExtras(marker: Marker, extras: readonly string[]): Marker | boolean {
  if (marker.kind === "compare") return comparison(marker, extras);
  const isAnd = marker.kind === "and";
  const parts = marker.parts.map((part) => withExtras(part, extras));
  if (parts.includes(!isAnd)) return !isAnd;
  const open = parts.filter((part) => typeof part !== "boolean");
  const [only] = open;
  if (only === undefined) return isAnd;
  return open.length === 1 ? only : { kind: marker.kind, parts: open };
}

function comparison(marker: Extract<Marker, { kind: "compare" }>, extras: readonly string[]): Marker | boolean {
  const { left, operator, right } = marker;
  const name = isExtra(left) ? right : isExtra(right) ? left : undefined;
  if (name?.kind !== "string") return marker;
  const isWanted = extras.includes(normalizeName(name.value));
  return operator === "!=" || operator === "not in" ? !isWanted : isWanted;
}

function isExtra(operand: MarkerOperand): boolean {
  return operand.kind === "variable" && operand.name === "extra";
}
