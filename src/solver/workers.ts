// SPDX-License-Identifier: Apache-2.0
import { copyWorker } from "./copy-step.ts";
import { gitWorker } from "./git-step.ts";
import { httpWorker } from "./http-step.ts";
import { mkdirWorker } from "./mkdir-step.ts";
import { runWorker } from "./run-step.ts";
import { uninstallWorker } from "./uninstall-step.ts";
import { wheelsWorker } from "./wheels-step.ts";
import type { Op } from "../graph/index.ts";
import type { StepWorker } from "./types.ts";

const WORKERS: Partial<Record<Op["type"], StepWorker>> = {
  copy: copyWorker,
  git: gitWorker,
  http: httpWorker,
  mkdir: mkdirWorker,
  run: runWorker,
  uninstall: uninstallWorker,
  wheels: wheelsWorker,
};

/** The worker for an operation that makes a layer. */
export function workerOf(op: Op): StepWorker {
  const worker = WORKERS[op.type];
  if (!worker) throw new Error(`no worker for ${op.type}`);
  return worker;
}
