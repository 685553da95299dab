// SPDX-License-Identifier: Apache-2.0
/* `--filter` of `images` and `image prune`: values of one key are alternatives, except labels and times. */
import { TareError, suggest } from "../base/index.ts";
import { matchesFamiliar, normalizeReference } from "../oci/index.ts";
import type { Filters } from "./facade.ts";
import type { Store } from "../store/index.ts";
import { FactReader } from "./image-facts.ts";
import type { ImageFacts } from "./image-facts.ts";
import { requireImage } from "./image-lookup.ts";

/** Look-ups that some filters need. */
export interface FilterHelp {
  /** Facts of the image that `before=` or `since=` names. Throws `E_IMAGE_NOTFOUND`. */
  image(text: string): ImageFacts;
  /** A date, a Unix time or an age in milliseconds since the epoch. Throws `E_FILTER`. */
  moment(text: string): number;
}

type Test = (facts: ImageFacts) => boolean;
type MakeTest = (value: string, help: FilterHelp) => Test;

const FILTERS: Readonly<Record<string, MakeTest>> = {
  dangling: (value) => {
    const wanted = truth(value);
    return ({ record }) => (record.names.length === 0) === wanted;
  },
  label: (value) => (facts) => hasLabel(facts.labels, value),
  "label!": (value) => (facts) => !hasLabel(facts.labels, value),
  before: (value, help) => {
    const { createdAt } = help.image(value);
    return (facts) => facts.createdAt < createdAt;
  },
  since: (value, help) => {
    const { createdAt } = help.image(value);
    return (facts) => facts.createdAt > createdAt;
  },
  until: (value, help) => {
    const moment = help.moment(value);
    return (facts) => facts.createdAt < moment;
  },
  reference: (value) => (facts) => matchingNames(facts, [value]).length > 0,
};

const ALL_OF: ReadonlySet<string> = new Set(["label", "label!", "until", "before", "since"]);

/** Keys of `images`. */
export const LIST_FILTERS: readonly string[] = Object.keys(FILTERS).filter((key) => key !== "label!");
/** Keys of the prunes. */
export const PRUNE_FILTERS: readonly string[] = ["until", "label", "label!"];

/** A test for all of these filters. Throws `E_USAGE` for a key that is not among `keys`, `E_FILTER` for a bad value. */
export function imageFilter(filters: Filters, keys: readonly string[], help: FilterHelp): Test {
  const groups = Object.entries(filters).map(([key, values]) => {
    const tests = values.map((value) => makerOf(key, keys)(value, help));
    return ALL_OF.has(key)
      ? (facts: ImageFacts) => tests.every((test) => test(facts))
      : (facts: ImageFacts) => tests.some((test) => test(facts));
  });
  return (facts) => groups.every((group) => group(facts));
}

function makerOf(key: string, keys: readonly string[]): MakeTest {
  const maker = keys.includes(key) && Object.hasOwn(FILTERS, key) ? FILTERS[key] : undefined;
  if (maker) return maker;
  const near = suggest(key, keys);
  throw new TareError("E_USAGE", `reading the filter \`${key}\`: no such filter`, {
    hint: near ? `did you mean \`${near}\`?` : `filters: ${keys.join(", ")}`,
  });
}

function truth(value: string): boolean {
  if (["true", "1", "t"].includes(value.toLowerCase())) return true;
  if (["false", "0", "f"].includes(value.toLowerCase())) return false;
  throw new TareError("E_FILTER", `reading the filter \`dangling=${value}\`: expected true or false`);
}

function hasLabel(labels: Readonly<Record<string, string>>, value: string): boolean {
  const equals = value.indexOf("=");
  if (equals < 0) return Object.hasOwn(labels, value);
  return labels[value.slice(0, equals)] === value.slice(equals + 1);
}

/** The full names that one of the patterns matches; without patterns all. */
export function matchingNames(facts: ImageFacts, patterns: readonly string[] | undefined): readonly string[] {
  const { names } = facts.record;
  if (!patterns || patterns.length === 0) return names;
  return names.filter((name) => patterns.some((pattern) => matchesFamiliar(pattern, normalizeReference(name))));
}

/** What filters may ask for; the room that reads moments is loaded only when one is given. */
export async function filterHelp(store: Store, filters: Filters): Promise<FilterHelp> {
  const parse = "until" in filters ? (await import("../containers/index.ts")).parseMoment : undefined;
  return {
    image: (text) => new FactReader(store).read(requireImage(store, text, "filtering by the image")),
    moment: (text) => parse?.(text, Date.now()) ?? Number.NaN,
  };
}
