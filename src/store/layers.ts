// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import type { Digest } from "../base/index.ts";
import { TareError, digestFromHex, readTextIfPresent } from "../base/index.ts";
import type { StoreContext } from "./context.ts";
import { parseLayerFacts } from "./layer-facts.ts";
import { ensureLink } from "./layer-links.ts";
import { deferLayer, stageLayer } from "./layer-staging.ts";
import { namesIn } from "./layout.ts";
import type { Layer, LayerFacts, LayerStore } from "./types.ts";

/** Unpacked layers as folders named by their diffID. Needs no database. */
export function layerStore(context: StoreContext): LayerStore {
  const known = new Map<Digest, Layer>();
  const get = (diffId: Digest): Layer | undefined => {
    const cached = known.get(diffId);
    if (cached && fs.statSync(cached.tree, { throwIfNoEntry: false })) return cached;
    const layer = readLayer(context, diffId);
    if (layer) known.set(diffId, layer);
    else known.delete(diffId);
    return layer;
  };
  return {
    get,
    facts: (diffId) => get(diffId) ?? readFacts(context, diffId),
    getAll: (diffIds) => diffIds.map((diffId) => get(diffId) ?? missing(diffId)),
    stage: () => stageLayer(context, get),
    defer: (facts) => deferLayer(context, facts),
    list: () => layerDigests(context).flatMap((digest) => get(digest) ?? []),
  };
}

function missing(diffId: Digest): never {
  throw new TareError("E_LAYER_MISSING", `using layer \`${diffId}\`: it is not in the store`, {
    hint: "pull or build the image again; `tare system fsck` shows what else is missing",
    details: { diffId },
  });
}

/** The diffIDs that the names in `layers/` stand for, sorted. */
export function layerDigests(context: StoreContext): Digest[] {
  return namesIn(context.layout.layers)
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .sort()
    .map(digestFromHex);
}

/** A published layer. A damaged `layer.json` reads as absent: fsck names it, and a rebuild replaces it. */
function readLayer(context: StoreContext, diffId: Digest): Layer | undefined {
  const facts = readFacts(context, diffId);
  const tree = join(context.layout.layer(diffId), "tree");
  if (!facts || !fs.statSync(tree, { throwIfNoEntry: false })) return undefined;
  return { ...facts, tree, link: ensureLink(context, diffId) };
}

/** The facts of a whole layer, or of one whose tree is still to be made. */
function readFacts(context: StoreContext, diffId: Digest): LayerFacts | undefined {
  const folder = context.layout.layer(diffId);
  const text = readTextIfPresent(join(folder, "layer.json"));
  const facts = text === undefined ? undefined : parseLayerFacts(text);
  if (facts?.diffId !== diffId) return undefined;
  return facts.isDeferred || fs.statSync(join(folder, "tree"), { throwIfNoEntry: false }) ? facts : undefined;
}
