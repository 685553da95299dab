// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import type { Digest } from "../base/index.ts";
import { TareError, canonicalJson, parseDigest } from "../base/index.ts";
import type { StoreContext } from "./context.ts";
import type { BuildCache } from "./types.ts";

/** The time of last use is written only when it is older than this: a rebuild that changes nothing writes nothing. */
const USE_GRAIN = 10 * 60 * 1000;

/** The build cache with what `close` of the store has to write. */
export interface BuildCacheStore extends BuildCache {
  /** Writes the times of last use noted since; loses them rather than wait or fail. */
  flush(): void;
}

/** Results of build steps in state.db. A power cut may take the last ones, which costs a rebuild. */
export function buildCache(context: StoreContext): BuildCacheStore {
  const used = new Set<Digest>();
  return {
    get: (key) => get(context, used, key),
    put: (key, value, layers) => put(context, key, value, layers),
    of: (layers) => recordsOf(context, layers),
    flush: () => flush(context, used),
  };
}

/** A record whose layers are not all there is a miss. */
function get(context: StoreContext, used: Set<Digest>, key: Digest): unknown {
  const sql = `
    SELECT value, used_at, (SELECT json_group_array(layer) FROM cache_layers WHERE cache_layers.key = cache.key) AS layers
    FROM cache WHERE key = ?`;
  const row = context.database.get(sql, key);
  if (!row) return undefined;
  const layers: unknown = JSON.parse(String(row["layers"]));
  if (!Array.isArray(layers) || !layers.every((layer) => isPresent(context, parseDigest(String(layer)))))
    return undefined;
  if (Date.now() - Number(row["used_at"]) > USE_GRAIN) used.add(key);
  return JSON.parse(String(row["value"]));
}

/** Layers in the order of the value, as far as the store knows it: `layers` of it is a list of diffIDs. */
function recordsOf(
  context: StoreContext,
  wanted: ReadonlySet<Digest>,
): readonly { readonly key: Digest; readonly layers: readonly Digest[] }[] {
  const rows = context.database.all("SELECT key, value FROM cache ORDER BY key");
  return rows.flatMap((row) => {
    const value: unknown = JSON.parse(String(row["value"]));
    const named = typeof value === "object" && value !== null && "layers" in value ? value.layers : undefined;
    if (!Array.isArray(named) || named.length === 0) return [];
    const layers = named.map((layer) => parseDigest(String(layer)));
    return layers.every((layer) => wanted.has(layer)) ? [{ key: parseDigest(String(row["key"])), layers }] : [];
  });
}

function isPresent(context: StoreContext, layer: Digest): boolean {
  return fs.statSync(context.layout.layer(layer), { throwIfNoEntry: false }) !== undefined;
}

function put(context: StoreContext, key: Digest, value: unknown, layers: readonly Digest[]): void {
  const { database } = context;
  database.writeLater(() => {
    for (const layer of layers) if (!isPresent(context, layer)) throw absent(key, layer);
    const now = Date.now();
    database.run("DELETE FROM cache WHERE key = ?", key);
    const sql = "INSERT INTO cache (key, value, created_at, used_at) VALUES (?, ?, ?, ?)";
    database.run(sql, key, canonicalJson(value) ?? "null", now, now);
    for (const layer of new Set(layers))
      database.run("INSERT INTO cache_layers (key, layer) VALUES (?, ?)", key, layer);
  });
}

function absent(key: Digest, layer: Digest): TareError {
  return new TareError("E_LAYER_MISSING", `caching step \`${key}\`: layer \`${layer}\` is not in the store`, {
    details: { key, layer },
  });
}

function flush(context: StoreContext, used: Set<Digest>): void {
  if (used.size === 0 || context.readonly) return;
  const { database } = context;
  database.writeLater(() => {
    for (const key of used) database.run("UPDATE cache SET used_at = ? WHERE key = ?", Date.now(), key);
  });
  used.clear();
}
