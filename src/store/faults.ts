// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import { STEPS } from "./steps.ts";

/** What goes wrong, where: at the `occurrence`-th time that `step` (or any step: `*`) is reached. */
export interface FaultPlan {
  readonly action: "kill" | "delay" | "error";
  readonly when: "before" | "after";
  /** The system error code thrown by `error`; milliseconds of `delay` otherwise. */
  readonly code: string;
  readonly milliseconds: number;
  readonly step: string;
  readonly occurrence: number;
}

const SHAPE = /^(kill|kill-after|enospc|eio|delay):([a-z.*]+)(?::(\d+))?(?::(\d+))?$/;

/**
 * Parses `kill:blob.rename:3`, `kill-after:layer.rename`, `enospc:blob.write:1`, `delay:state.write:1:500`; the step
 * may be `*` for any. Throws `E_USAGE`.
 */
export function parseFaultPlan(text: string): FaultPlan {
  const match = SHAPE.exec(text);
  if (!match)
    throw new TareError("E_USAGE", `parsing fault plan \`${text}\`: expected \`<action>:<step>[:<n>[:<ms>]]\``);
  const [, action = "", step = "", occurrence = "1", milliseconds = "1000"] = match;
  if (step !== "*" && !STEPS.some((name) => name === step)) {
    throw new TareError("E_USAGE", `parsing fault plan \`${text}\`: no such step`, {
      hint: `steps: ${STEPS.join(" ")}`,
    });
  }
  return {
    action: action.startsWith("kill") ? "kill" : action === "delay" ? "delay" : "error",
    when: action === "kill-after" ? "after" : "before",
    code: action.toUpperCase(),
    milliseconds: Number(milliseconds),
    step,
    occurrence: Math.max(1, Number(occurrence)),
  };
}

/** Does what the plan says, to this process. */
export function fire(plan: FaultPlan): void {
  if (plan.action === "delay") {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, plan.milliseconds);
    return;
  }
  if (plan.action === "kill") {
    process.kill(process.pid, "SIGKILL");
    // The signal is delivered on the way back from the system call; nothing below may run.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
  throw Object.assign(new Error(`${plan.code}: injected at ${plan.step}`), { code: plan.code });
}
