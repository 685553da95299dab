// SPDX-License-Identifier: Apache-2.0
/* `--filter` of `network ls` and `network prune`: values of one key are alternatives, labels must all hold. */
import { TareError, suggest } from "../base/index.ts";
import { parseMoment } from "../containers/index.ts";
import type { NetworkSummary } from "./facade-networks.ts";
import type { Filters } from "./facade.ts";

type Filter = (network: NetworkSummary, value: string) => boolean;

const FILTERS: Readonly<Record<string, Filter>> = {
  name: ({ name }, value) => name.includes(value),
  id: ({ id }, value) => id.startsWith(value),
  label: ({ labels }, value) => hasLabel(labels, value),
  "label!": ({ labels }, value) => !hasLabel(labels, value),
  driver: ({ driver }, value) => driver === value,
  scope: (_network, value) => value === "local",
  type: (network, value) => (isBuiltin(network) ? "builtin" : "custom") === value,
  dangling: (network, value) => isTrue(value) === (!isBuiltin(network) && network.containers === 0),
  until: ({ createdAt }, value) => createdAt < parseMoment(value, Date.now()),
};

const ALL_OF = new Set(["label", "label!", "until"]);
const FOR_LISTS: readonly string[] = Object.keys(FILTERS).filter((key) => key !== "label!" && key !== "until");

/** A filter function. Throws `E_FILTER` for an unknown key. */
export function networkFilter(
  filters: Filters,
  known: readonly string[] = FOR_LISTS,
): (network: NetworkSummary) => boolean {
  const groups = Object.entries(filters);
  for (const [key, values] of groups) {
    if (!known.includes(key)) throw unknownFilter(key, known);
    if (key === "until") for (const value of values) parseMoment(value, 0);
  }
  return (network) =>
    groups.every(([key, values]) => {
      const holds = (value: string): boolean => FILTERS[key]?.(network, value) ?? false;
      return ALL_OF.has(key) ? values.every(holds) : values.some(holds);
    });
}

function unknownFilter(key: string, known: readonly string[]): TareError {
  const near = suggest(key, known);
  return new TareError("E_FILTER", `reading the filter \`${key}\`: no such filter`, {
    hint: near ? `did you mean \`${near}\`?` : `filters: ${known.join(", ")}`,
  });
}

function isBuiltin({ createdAt, driver }: NetworkSummary): boolean {
  return createdAt === 0 || driver !== "bridge";
}

function isTrue(value: string): boolean {
  return value === "true" || value === "1";
}

function hasLabel(labels: Readonly<Record<string, string>>, value: string): boolean {
  const equals = value.indexOf("=");
  if (equals < 0) return Object.hasOwn(labels, value);
  return labels[value.slice(0, equals)] === value.slice(equals + 1);
}
