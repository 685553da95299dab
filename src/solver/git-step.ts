// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { digestOfValue, removeTree } from "../base/index.ts";
import { lastCommit, rememberCommit } from "./last-fetched.ts";
import { finishLayer } from "./layer.ts";
import { checkout, resolveCommit } from "./git.ts";
import { normaliseTimes } from "./normalise.ts";
import type { GitOp } from "../graph/index.ts";
import type { StepContext, StepWorker } from "./types.ts";

const commits = new WeakMap<StepContext, string>();

/** ADD of a git repository: keyed by the commit that its ref stands for now. */
export const gitWorker: StepWorker = {
  base: () => [],
  key: async (step) =>
    digestOfValue({ git: 1, op: gitOp(step), commit: await commitOf(step), epoch: step.resources.epoch }),
  run: async (step) => {
    const staging = step.resources.store.layers.stage();
    const folder = join(step.resources.lease.folder, `git-${randomBytes(6).toString("hex")}`);
    try {
      await checkout(gitOp(step), await commitOf(step), folder, step.signal);
      fs.rmdirSync(staging.tree);
      fs.renameSync(folder, staging.tree);
      fs.chmodSync(staging.tree, 0o755);
      normaliseTimes(staging.tree, { after: 0, to: step.resources.epoch });
      return [await finishLayer(staging, { xattrs: false, signal: step.signal })];
    } catch (error) {
      staging.discard();
      throw error;
    } finally {
      removeTree(folder);
    }
  },
};

function gitOp(step: StepContext): GitOp {
  const { op } = step.vertex;
  if (op.type !== "git") throw new Error("not a git step");
  return op;
}

async function commitOf(step: StepContext): Promise<string> {
  const known = commits.get(step);
  if (known !== undefined) return known;
  const commit = await askForCommit(step);
  commits.set(step, commit);
  return commit;
}

async function askForCommit(step: StepContext): Promise<string> {
  try {
    const commit = await resolveCommit(gitOp(step), step.signal);
    rememberCommit(step, commit);
    return commit;
  } catch (error) {
    return lastCommit(step, error);
  }
}
