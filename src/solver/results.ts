// SPDX-License-Identifier: Apache-2.0
import type { DiffId } from "../base/index.ts";
import type { RootfsResult, StepContext, StepResult } from "./types.ts";

/** The layers of a result that must be a root file system. */
export function rootfsOf(result: StepResult): RootfsResult {
  if (result.kind === "rootfs") return result;
  throw new Error("a folder of the user is not a root file system");
}

/** Layers of a step's input 0, lowest first; none when it has no inputs. */
export function baseLayers(step: StepContext): readonly DiffId[] {
  const [base] = step.inputs;
  return base ? rootfsOf(base).layers : [];
}
