// SPDX-License-Identifier: Apache-2.0
import { readTextIfPresent, userNamespace, highestId } from "../base/index.ts";
import type { NamespaceLimits } from "./spec-namespace.ts";

/** What the user namespace of this process has and lacks; undefined in the host's own. */
export function namespaceLimits(): NamespaceLimits | undefined {
  const { isInitial, uids, gids } = userNamespace();
  if (isInitial) return undefined;
  return {
    highestUid: highestId(uids),
    highestGid: highestId(gids),
    uids,
    gids,
    hasCgroups: false,
    oomScoreAdj: Number(readTextIfPresent("/proc/self/oom_score_adj") ?? 0),
  };
}
