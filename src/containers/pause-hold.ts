// SPDX-License-Identifier: Apache-2.0
/*
 * Containers that stand still while their files are read. Who stopped them is written down first: when that process
 * dies, the next command lets them go on.
 */
import { ownIdentity, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { pauseContainer, unpauseContainer } from "./exec.ts";
import { viewOf } from "./find.ts";
import { isAlive } from "./process-identity.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { volumeUsers } from "./volumes.ts";

interface Hold {
  readonly by: ProcessIdentity;
}

/** Names of the containers that run with a volume and may write it at this moment. */
export function runningVolumeUsers(context: ContainersContext, volume: string): readonly string[] {
  return volumeUsers(context, volume).filter((name) => {
    const record = recordsOf(context).find(name);
    const state = record && viewOf(context, record).state;
    return state?.status === "running" && !state.paused;
  });
}

/** Runs `work` while these containers stand still; they go on afterwards, whatever comes of it. */
export async function whilePaused<T>(
  context: ContainersContext,
  names: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const holds = context.store.documents<Hold>("pause-hold");
  const held: string[] = [];
  try {
    for (const name of names) {
      const id = recordsOf(context).find(name)?.id;
      if (id === undefined) continue;
      holds.put(id, { by: ownIdentity(context) });
      held.push(id);
      await pauseContainer(context, id);
    }
    return await work();
  } finally {
    for (const id of held) await release(context, id);
  }
}

/** Lets containers go on that dead processes stopped. One query when there are none. */
export async function releaseHolds(context: ContainersContext): Promise<void> {
  for (const [id, { by }] of context.store.documents<Hold>("pause-hold").entries()) {
    if (!isAlive(by, context.processes)) await release(context, id);
  }
}

/** One that has ended meanwhile needs nothing; one whose stop was not written down yet goes on too. */
async function release(context: ContainersContext, id: string): Promise<void> {
  if (recordsOf(context).get(id)) await unpauseContainer(context, id).catch(() => undefined);
  context.store.documents<Hold>("pause-hold").remove(id);
}
