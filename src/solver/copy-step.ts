// SPDX-License-Identifier: Apache-2.0
import { digestOfValue } from "../base/index.ts";
import { cacheKey, chainDigest } from "../graph/index.ts";
import { TreeView } from "../store/index.ts";
import { applyCopy } from "./copier.ts";
import { planCopy } from "./copy-plan.ts";
import { PLAIN_DIGESTS, planDigest } from "./fingerprint.ts";
import { finishLayer } from "./layer.ts";
import { lookupOwner } from "./owner.ts";
import { baseLayers, rootfsOf } from "./results.ts";
import { StagedTree } from "./staged-tree.ts";
import type { Digest } from "../base/index.ts";
import type { CopyOp } from "../graph/index.ts";
import type { SourceTree } from "../store/index.ts";
import type { CopyPlan } from "./copy-plan.ts";
import type { InputView } from "./fingerprint.ts";
import type { StepContext, StepResult, StepWorker } from "./types.ts";

const plans = new WeakMap<StepContext, CopyPlan>();

/** COPY and ADD of files from a folder, a stage, an image, a download or the Dockerfile itself. */
export const copyWorker: StepWorker = {
  base: baseLayers,
  /** Known sources, all of them layers: their identity is enough. */
  quickKey: (step) => {
    if (step.inputs.some((input) => input.kind === "local")) return undefined;
    const chains = step.inputs.map((input) => chainDigest(rootfsOf(input).layers));
    return cacheKey(step.vertex, chains, { epoch: step.resources.epoch, quick: true });
  },
  keyed: (step) => step.inputs.slice(1),
  key: async (step) => {
    const plan = planOf(step);
    const digest = await planDigest(plan, (input) => viewOf(step, input));
    for (const input of step.inputs) if (input.kind === "local") input.save();
    return copyKey(step, digest);
  },
  run: async (step) => {
    const op = copyOp(step);
    const staging = step.resources.store.layers.stage();
    try {
      const base = new TreeView(step.resources.store.layers.getAll(baseLayers(step)));
      const staged = new StagedTree(base, staging.tree, step.resources.epoch);
      const owner = op.owner ? lookupOwner(base, op.owner) : undefined;
      const keepOwners = (input: number): boolean => viewOf(step, input).owners;
      await applyCopy(planOf(step), { op, staged, keepOwners, signal: step.signal, ...(owner ? { owner } : {}) });
      const hasXattrs = op.command === "ADD" || base.hasXattrs || treesOf(step).some((tree) => tree?.hasXattrs);
      return [await finishLayer(staging, { xattrs: hasXattrs, signal: step.signal })];
    } catch (error) {
      staging.discard();
      throw error;
    }
  },
};

function copyKey(step: StepContext, sources: Digest): Digest {
  const { sources: _sources, exclude: _exclude, parents: _parents, link: _link, ...rest } = copyOp(step);
  const base = chainDigest(baseLayers(step));
  return digestOfValue({ copy: 2, op: rest, base, sources, epoch: step.resources.epoch });
}

function copyOp(step: StepContext): CopyOp {
  const { op } = step.vertex;
  if (op.type !== "copy") throw new Error("not a copy step");
  return op;
}

/** Files of the user's folders belong to root, those of layers keep their owners. */
function viewOf(step: StepContext, input: number): InputView {
  const source = step.inputs[input];
  return source?.kind === "local"
    ? { digests: source.digests, owners: false }
    : { digests: PLAIN_DIGESTS, owners: true };
}

function planOf(step: StepContext): CopyPlan {
  const known = plans.get(step);
  if (known) return known;
  const plan = planCopy(copyOp(step), treesOf(step));
  plans.set(step, plan);
  return plan;
}

function treesOf(step: StepContext): readonly (SourceTree | undefined)[] {
  return step.inputs.map((input, index) => (index === 0 ? undefined : treeOf(step, input)));
}

function treeOf(step: StepContext, input: StepResult): SourceTree {
  return input.kind === "local" ? input.tree : new TreeView(step.resources.store.layers.getAll(input.layers));
}
