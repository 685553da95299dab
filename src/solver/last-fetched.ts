// SPDX-License-Identifier: Apache-2.0
/*
 * What a step fetched when its server could last be reached. A server is asked at every build whether its file or branch
 * has changed; when no server can be reached at all, the last answer is taken, and a warning says so. `--no-cache`
 * takes none.
 */
import { cacheKey } from "../graph/index.ts";
import { cachedLayers, rememberLayers } from "./layer-cache.ts";
import { isTareError } from "../base/index.ts";
import type { DiffId, Digest } from "../base/index.ts";
import type { StepContext } from "./types.ts";

/** Documents of commits by the key of the step that asked. */
const COMMITS = "git-commit";

function lastKey(step: StepContext): Digest {
  return cacheKey(step.vertex, [], { last: step.resources.epoch });
}

/** Remembers what a step fetched. */
export function rememberFetched(step: StepContext, layers: readonly DiffId[]): void {
  rememberLayers(step.resources.store, lastKey(step), layers);
}

/** The layers of the last time, for a step that could not reach its server. Throws `error` when there are none. */
export function lastFetched(step: StepContext, error: unknown): readonly DiffId[] {
  const known = isUnreachable(step, error) ? cachedLayers(step.resources.store, lastKey(step)) : undefined;
  if (!known) throw error;
  warn(step, error);
  return known;
}

/** Remembers the commit that a ref stood for. */
export function rememberCommit(step: StepContext, commit: string): void {
  step.resources.store.documents<string>(COMMITS, { lasting: false }).put(lastKey(step), commit);
}

/** The commit that a ref stood for the last time. Throws `error` when that is not known. */
export function lastCommit(step: StepContext, error: unknown): string {
  const commits = step.resources.store.documents<string>(COMMITS, { lasting: false });
  const known = isUnreachable(step, error) ? commits.get(lastKey(step)) : undefined;
  if (known === undefined) throw error;
  warn(step, error);
  return known;
}

/** A server that answers, even with an error, is asked again and believed. */
function isUnreachable(step: StepContext, error: unknown): boolean {
  return isTareError(error) && error.details["unreachable"] === true && !step.vertex.ignoreCache;
}

function warn(step: StepContext, error: unknown): void {
  const why = isTareError(error) ? error.message : "";
  const message = `${why}; what was fetched the last time is used`;
  step.resources.listener?.({ kind: "warning", rule: "NotReachable", message, at: Date.now() });
}
