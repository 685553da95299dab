// SPDX-License-Identifier: Apache-2.0
/*
 * A layer is filled in a private folder of this process's lease and published by one rename:
 *   stage → tree/ and work/ → layer.json → sync of everything → link → rename → sync of the directory.
 * The presence of the final name is completeness. Killed anywhere before the rename, the folder is rubbish in a dead
 * lease; killed after it, the layer is whole. A deferred layer is its layer.json alone; its tree comes later, staged in
 * the same way and put into its place by one rename too.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import type { Digest } from "../base/index.ts";
import { TareError, ioError, readTextIfPresent, systemErrorCode } from "../base/index.ts";
import type { StoreContext } from "./context.ts";
import { formatLayerFacts, parseLayerFacts } from "./layer-facts.ts";
import { ensureLink } from "./layer-links.ts";
import { syncTree, syncTreeLater } from "./sync-tree.ts";
import type { Layer, LayerFacts, LayerStaging } from "./types.ts";

type Lookup = (diffId: Digest) => Layer | undefined;

/** A new private staging folder. `get` looks a published layer up. */
export function stageLayer(context: StoreContext, get: Lookup): LayerStaging {
  const folder = join(context.lease().folder, `layer-${randomBytes(6).toString("hex")}`);
  const tree = join(folder, "tree");
  const work = join(folder, "work");
  context.effects.makeDirectory("layer.stage", folder);
  context.effects.file("layer.stage", tree, () => makeTree(tree, work));
  const discard = (): void => context.effects.removeTree("layer.discard", folder);
  return {
    tree,
    work,
    discard,
    commit: (facts) => commit(context, folder, facts, get),
    commitLater: (facts) => commitLater(context, folder, facts, get),
  };
}

/** The tree's own mode becomes the root folder's in a container: not the umask's business. */
function makeTree(tree: string, work: string): void {
  fs.mkdirSync(tree);
  fs.chmodSync(tree, 0o755);
  fs.mkdirSync(work, { mode: 0o700 });
}

function commit(context: StoreContext, folder: string, facts: LayerFacts, get: Lookup): Layer {
  const known = prepare(context, folder, facts, get);
  if (!known && context.sync === "full") {
    context.effects.file("layer.sync", folder, () => syncTree(folder, facts.entries));
  }
  return settle(context, folder, facts, { known, get });
}

async function commitLater(context: StoreContext, folder: string, facts: LayerFacts, get: Lookup): Promise<Layer> {
  const known = prepare(context, folder, facts, get);
  if (!known && context.sync === "full") {
    await context.effects.fileLater("layer.sync", folder, () => syncTreeLater(folder, facts.entries));
  }
  return settle(context, folder, facts, { known, get });
}

/** The layer when it is there already; else what is left to write. */
function prepare(context: StoreContext, folder: string, facts: LayerFacts, get: Lookup): Layer | undefined {
  // Kept first, then looked at: a prune in between either sees the claim or is seen.
  context.lease().keep([facts.diffId]);
  const known = get(facts.diffId);
  if (known) return known;
  context.effects.removeTree("layer.facts", join(folder, "work"));
  context.effects.writeFile("layer.facts", join(folder, "layer.json"), formatLayerFacts(facts));
  return undefined;
}

interface Prepared {
  readonly known: Layer | undefined;
  readonly get: Lookup;
}

function settle(context: StoreContext, folder: string, { diffId }: LayerFacts, { known, get }: Prepared): Layer {
  const { effects, layout } = context;
  if (!known) {
    ensureLink(context, diffId);
    if (publish(context, folder, diffId, get) && context.sync === "full") {
      effects.syncDirectory("layer.syncdir", layout.links);
      effects.syncDirectory("layer.syncdir", layout.layers);
    }
  }
  effects.removeTree("layer.discard", folder);
  return known ?? get(diffId) ?? lost(diffId);
}

/** False when somebody else published the same layer meanwhile: then theirs is as good. */
function publish(context: StoreContext, folder: string, diffId: Digest, get: Lookup): boolean {
  const target = context.layout.layer(diffId);
  for (;;) {
    try {
      context.effects.step("layer.rename", () => fs.renameSync(folder, target));
      return true;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code !== "EEXIST" && code !== "ENOTEMPTY") throw ioError(`publishing layer \`${diffId}\``, error);
      if (get(diffId)) return false;
      if (isDeferred(target, diffId)) addTree(context, folder, target);
      else moveDamagedAside(context, target);
    }
  }
}

function isDeferred(target: string, diffId: Digest): boolean {
  const facts = factsIn(target);
  return facts?.diffId === diffId && facts.isDeferred === true;
}

function isKnown(target: string, diffId: Digest): boolean {
  const hasTree = fs.statSync(join(target, "tree"), { throwIfNoEntry: false }) !== undefined;
  return isDeferred(target, diffId) || (hasTree && factsIn(target)?.diffId === diffId);
}

function factsIn(target: string): LayerFacts | undefined {
  const text = readTextIfPresent(join(target, "layer.json"));
  return text === undefined ? undefined : parseLayerFacts(text);
}

/** The tree of a deferred layer; somebody else's may have come meanwhile, and then it stays. */
function addTree(context: StoreContext, folder: string, target: string): void {
  try {
    context.effects.step("layer.rename", () => fs.renameSync(join(folder, "tree"), join(target, "tree")));
    if (context.sync === "full") context.effects.syncDirectory("layer.syncdir", target);
  } catch (error) {
    const code = systemErrorCode(error);
    // Gone, with or without the folder: a prune took the layer, and it is published anew.
    if (code !== "EEXIST" && code !== "ENOTEMPTY" && code !== "ENOENT") {
      throw ioError(`publishing the tree of \`${target}\``, error);
    }
  }
}

/** Publishes the facts of a layer whose tree comes later. */
export function deferLayer(context: StoreContext, facts: LayerFacts): void {
  const { effects, layout } = context;
  context.lease().keep([facts.diffId]);
  const target = layout.layer(facts.diffId);
  if (isKnown(target, facts.diffId)) return;
  const folder = join(context.lease().folder, `layer-${randomBytes(6).toString("hex")}`);
  effects.makeDirectory("layer.stage", folder);
  effects.writeFile("layer.facts", join(folder, "layer.json"), formatLayerFacts({ ...facts, isDeferred: true }));
  if (context.sync === "full") effects.file("layer.sync", folder, () => syncTree(folder, 1));
  try {
    effects.step("layer.rename", () => fs.renameSync(folder, target));
    if (context.sync === "full") effects.syncDirectory("layer.syncdir", layout.layers);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "EEXIST" && code !== "ENOTEMPTY") throw ioError(`publishing layer \`${facts.diffId}\``, error);
    if (!isKnown(target, facts.diffId)) {
      moveDamagedAside(context, target);
      return deferLayer(context, facts);
    }
    effects.removeTree("layer.discard", folder);
  }
}

/** A folder without a sound `layer.json` is no layer; it makes room for the one that is. */
function moveDamagedAside(context: StoreContext, target: string): void {
  const aside = join(context.lease().folder, `damaged-${randomBytes(6).toString("hex")}`);
  try {
    context.effects.step("layer.discard", () => fs.renameSync(target, aside));
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw ioError(`moving \`${target}\` aside`, error);
  }
  context.effects.removeTree("layer.discard", aside);
}

function lost(diffId: Digest): never {
  throw new TareError("E_LAYER_MISSING", `publishing layer \`${diffId}\`: it was removed at once by another program`);
}
