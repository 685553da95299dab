// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_EPOCH } from "../base/index.ts";
import { TreeView } from "../store/index.ts";
import { applyCopy } from "./copier.ts";
import { planCopy } from "./copy-plan.ts";
import { StagedTree } from "./staged-tree.ts";
import type { DiffId } from "../base/index.ts";
import type { CopyOp } from "../graph/index.ts";
import type { StepContext } from "./types.ts";

const EVERYTHING: CopyOp = {
  type: "copy",
  sources: [{ from: 0, paths: ["/"] }],
  destination: "/",
  parents: false,
  link: false,
  command: "COPY",
};

/** Copies a whole root file system into an empty folder. */
export async function fillFolder(step: StepContext, layers: readonly DiffId[], folder: string): Promise<void> {
  const tree = new TreeView(step.resources.store.layers.getAll(layers));
  const staged = new StagedTree(new TreeView([]), folder, DEFAULT_EPOCH);
  await applyCopy(planCopy(EVERYTHING, [tree]), {
    op: EVERYTHING,
    staged,
    keepOwners: () => true,
    signal: step.signal,
  });
}
