// SPDX-License-Identifier: Apache-2.0
/* When a container is started again by itself: Docker's rules, as a function of what is known. */
import type { RestartPolicy } from "../options/index.ts";

/** What is remembered of a container between its runs. */
export interface RestartState {
  /** How often the policy has started it since a user did; Docker's `RestartCount`. */
  readonly count: number;
  /** Milliseconds that the last of these starts waited; 0: there was none. */
  readonly delay: number;
  /** A user has stopped or killed it since its last start. */
  readonly stoppedByUser: boolean;
  /** It was stopped because the machine ends: the next boot decides. */
  readonly stoppedForShutdown?: boolean;
}

/** Of a container that a user has just started. */
export const NEVER_RESTARTED: RestartState = { count: 0, delay: 0, stoppedByUser: false };

/** How a run ended. Times in milliseconds since the epoch. */
export interface EndedRun {
  readonly exitCode: number;
  readonly startedAt: number;
  readonly finishedAt: number;
}

const FIRST_DELAY = 100;
const LONGEST_DELAY = 60_000;
/** After so long a run the delays begin anew. */
const LONG_RUN = 10_000;

/** True for `no`, which is also what a container without the option has. */
export function isNoPolicy(policy: RestartPolicy | undefined): boolean {
  return policy === undefined || policy.name === "" || policy.name === "no";
}

/** The state with which a container waits for its next start (after `delay`); undefined when it stays ended. */
export function restartAfter(
  policy: RestartPolicy | undefined,
  known: RestartState | undefined,
  run: EndedRun,
): RestartState | undefined {
  const state = known ?? NEVER_RESTARTED;
  const isStopped = state.stoppedByUser || state.stoppedForShutdown === true;
  if (policy === undefined || isStopped || !wantsRestart(policy, state.count, run.exitCode)) return undefined;
  return { count: state.count + 1, delay: nextDelay(state.delay, run), stoppedByUser: false };
}

/** Whether a container that has been started before is started when the machine starts. */
export function startsAtBoot(
  policy: RestartPolicy | undefined,
  known: RestartState | undefined,
  exitCode: number,
): boolean {
  const state = known ?? NEVER_RESTARTED;
  if (policy?.name === "always") return true;
  if (policy?.name === "unless-stopped") return !state.stoppedByUser;
  return policy?.name === "on-failure" && !state.stoppedByUser && wantsRestart(policy, state.count, exitCode);
}

function wantsRestart(policy: RestartPolicy, count: number, exitCode: number): boolean {
  if (policy.name === "always" || policy.name === "unless-stopped") return true;
  if (policy.name !== "on-failure" || exitCode === 0) return false;
  return policy.maximumRetryCount === 0 || count < policy.maximumRetryCount;
}

function nextDelay(last: number, { startedAt, finishedAt }: EndedRun): number {
  if (last === 0 || finishedAt - startedAt >= LONG_RUN) return FIRST_DELAY;
  return Math.min(last * 2, LONGEST_DELAY);
}
