// SPDX-License-Identifier: Apache-2.0
import { cacheKey, chainDigest } from "../graph/index.ts";
import { TreeView } from "../store/index.ts";
import { finishLayer } from "./layer.ts";
import { lookupOwner } from "./owner.ts";
import { baseLayers } from "./results.ts";
import { StagedTree } from "./staged-tree.ts";
import type { StepWorker } from "./types.ts";

/** WORKDIR: the directory and its missing parents. */
export const mkdirWorker: StepWorker = {
  base: baseLayers,
  key: (step) => cacheKey(step.vertex, [chainDigest(baseLayers(step))], { epoch: step.resources.epoch }),
  run: async (step) => {
    const { op } = step.vertex;
    if (op.type !== "mkdir") throw new Error("not a mkdir step");
    const staging = step.resources.store.layers.stage();
    try {
      const base = new TreeView(step.resources.store.layers.getAll(baseLayers(step)));
      const staged = new StagedTree(base, staging.tree, step.resources.epoch);
      const owner = op.owner ? lookupOwner(base, op.owner) : { uid: 0, gid: 0 };
      const path = staged.resolve(op.path);
      const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      if (op.parentMode !== undefined) staged.makeDirectories(parent, { ...owner, mode: op.parentMode });
      staged.makeDirectories(path, { ...owner, mode: op.mode });
      staged.close();
      return [await finishLayer(staging, { xattrs: base.hasXattrs, signal: step.signal })];
    } catch (error) {
      staging.discard();
      throw error;
    }
  },
};
