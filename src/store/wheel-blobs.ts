// SPDX-License-Identifier: Apache-2.0
/*
 * What the store understands of Python distributions, which are blobs like others. Their documents are the python
 * room's; read here are only digests, so that prune knows who needs a file:
 *
 *   wheel        <digest>  a wheel or sdist, as it came
 *   wheel-layer  <diffId>  a layer made of wheels: they belong to it, since its compressed form is made of their bytes
 *   bytecode-pack <key>    the compiled modules of a wheel: they belong to the layers that have them
 *   built-wheel  <key>     a wheel made here from sources: no index has it
 */
import type { Digest } from "../base/index.ts";
import { isDigest } from "../base/index.ts";
import type { StoreContext } from "./context.ts";
import { isObject, parseObject } from "./layer-facts.ts";

/** The distributions that documents tell of. */
export interface SurveyedWheels {
  /** Wheels, sdists and packs, present or not, and when each came: milliseconds since the epoch. */
  readonly files: ReadonlyMap<Digest, number>;
  /** The wheels of each layer that was made of some. */
  readonly ofLayers: ReadonlyMap<Digest, readonly Digest[]>;
  /** Those that were made here. */
  readonly built: ReadonlySet<Digest>;
}

/** Reads the documents; what is malformed in them counts as absent. */
export function surveyWheels(context: StoreContext): SurveyedWheels {
  const files = new Map<Digest, number>();
  const ofLayers = new Map<Digest, readonly Digest[]>();
  const built = new Set<Digest>();
  const sql = `
    SELECT kind, id, created_at, CASE kind WHEN 'wheel' THEN '{}' ELSE value END AS value
    FROM documents WHERE kind IN ('wheel', 'wheel-layer', 'built-wheel', 'bytecode-pack')`;
  for (const row of context.database.all(sql)) {
    const id = String(row["id"]);
    const value = parseObject(String(row["value"])) ?? {};
    if (row["kind"] === "built-wheel") for (const digest of digestsOf([value])) built.add(digest);
    else if (row["kind"] === "bytecode-pack") {
      for (const digest of digestsOf([value])) files.set(digest, Number(row["created_at"]));
    } else if (!isDigest(id)) continue;
    else if (row["kind"] === "wheel") files.set(id, Number(row["created_at"]));
    else ofLayers.set(id, digestsOf(value["wheels"]));
  }
  return { files, ofLayers, built };
}

function digestsOf(members: unknown): Digest[] {
  if (!Array.isArray(members)) return [];
  return members.flatMap((member: unknown) => {
    const values = isObject(member) ? [member["digest"], member["bytecode"]] : [];
    return values.flatMap((value) => (typeof value === "string" && isDigest(value) ? [value] : []));
  });
}

/** The wheels that layers are made of. */
export function wheelsOf(wheels: SurveyedWheels, layers: Iterable<Digest>): readonly Digest[] {
  return [...layers].flatMap((layer) => wheels.ofLayers.get(layer) ?? []);
}

/**
 * Whether prune lets a distribution that no layer needs go: it is cache, and goes when cache is asked for; one that was
 * made here goes with all of the cache only.
 */
export function isWheelPrunable(
  wheels: SurveyedWheels,
  digest: Digest,
  asked: { readonly cache?: "none" | "unused" | "all"; readonly until?: number },
): boolean {
  const { cache = "none", until = Number.POSITIVE_INFINITY } = asked;
  if (cache === "none" || (wheels.files.get(digest) ?? 0) >= until) return false;
  return cache === "all" || !wheels.built.has(digest);
}
