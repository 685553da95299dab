// SPDX-License-Identifier: Apache-2.0
/* What happens with containers when the machine starts and ends; `tare system boot` does it, called by systemd. */
import { Semaphore } from "../base/index.ts";
import { recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { viewOf } from "./find.ts";
import { otherContainer } from "./joined-namespaces.ts";
import { isNoPolicy, startsAtBoot } from "./restart-policy.ts";
import { noteShutdown } from "./restart.ts";
import { startContainer } from "./run.ts";
import { isUp } from "./state.ts";
import { stopContainer } from "./stop.ts";
import type { ContainerRecord } from "./types.ts";

/** What was done, by container name. */
export interface BootReport {
  readonly done: readonly string[];
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
}

/** More would wait for the disk anyway. */
const AT_ONCE = 4;

/**
 * Writes that the containers of this boot are started; true when that was known already. From then on only what was
 * stopped for a shutdown is started: `always` would start again what a user has stopped meanwhile.
 */
export function noteBoot(context: ContainersContext): boolean {
  const boots = context.store.documents<{ readonly bootId: string }>("boot");
  const bootId = context.processes.bootId();
  if (boots.get("last")?.bootId === bootId) return true;
  boots.put("last", { bootId });
  return false;
}

/**
 * Starts what does not run though its restart policy says that a boot starts it. Those that share a namespace of another
 * container come last. One that fails does not keep the others.
 */
export async function startContainersAtBoot(context: ContainersContext): Promise<BootReport> {
  const isLater = noteBoot(context);
  const wanted = recordsOf(context)
    .list()
    .filter((record) => isWantedAtBoot(context, record))
    .filter((record) => !isLater || record.restart?.stoppedForShutdown === true);
  const start = (records: readonly ContainerRecord[]): Promise<BootReport> =>
    forAll(records, async ({ id }) => void (await startContainer(context, id)));
  const first = await start(wanted.filter((record) => !needsAnother(record)));
  const second = await start(wanted.filter(needsAnother));
  return { done: [...first.done, ...second.done], failed: [...first.failed, ...second.failed] };
}

/** Stops what runs and has a restart policy, in such a way that the next boot starts it again. */
export async function stopContainersForShutdown(context: ContainersContext): Promise<BootReport> {
  const running = recordsOf(context)
    .list()
    .filter((record) => !isNoPolicy(record.host.restart) && isUp(viewOf(context, record).state));
  return await forAll(running, async ({ id }) => {
    noteShutdown(context, id);
    await stopContainer(context, id, { forShutdown: true });
  });
}

/** One that was made and never started is not started by a boot. */
function isWantedAtBoot(context: ContainersContext, record: ContainerRecord): boolean {
  const { status, exitCode } = viewOf(context, record).state;
  return status === "exited" && startsAtBoot(record.host.restart, record.restart, exitCode);
}

function needsAnother({ host }: ContainerRecord): boolean {
  const { ipc, pid } = host.namespaces;
  return [host.network, ipc, pid].some((mode) => otherContainer(mode) !== undefined);
}

async function forAll(
  records: readonly ContainerRecord[],
  act: (record: ContainerRecord) => Promise<void>,
): Promise<BootReport> {
  const done: string[] = [];
  const failed: BootReport["failed"][number][] = [];
  const slots = new Semaphore(AT_ONCE);
  const one = async (record: ContainerRecord): Promise<void> => {
    try {
      await slots.run(() => act(record));
      done.push(record.name);
    } catch (error) {
      failed.push({ name: record.name, error });
    }
  };
  await Promise.all(records.map(one));
  return { done, failed };
}
