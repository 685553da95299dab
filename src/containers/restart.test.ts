// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from "vitest";
import { recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { createRequest, emptyImage, testContext } from "./fixture.ts";
import type { TestContext } from "./fixture.ts";
import { inspectContainer } from "./inspect.ts";
import { listContainers } from "./list.ts";
import { recoverContainers } from "./recover.ts";
import { removeContainer } from "./remove.ts";
import { restartContainerDue, runContainer, startContainer } from "./run.ts";
import type { Outcome } from "./runtime-port.ts";
import { killContainer, stopContainer } from "./stop.ts";

const ALWAYS = { name: "always", maximumRetryCount: 0 };
const IO = { stdout: 1, stderr: 2 };
let test: TestContext;
afterEach(() => test.close());

/** A container `web` whose run has just ended. */
async function endedOnce(outcome: Partial<Outcome> = {}, restart = ALWAYS): Promise<ContainersContext> {
  const runForeground = async (): Promise<Outcome> => Promise.resolve({ exitCode: 3, oomKilled: false, ...outcome });
  test = testContext({ runForeground });
  await runContainer(test.context, emptyImage(), createRequest({ name: "web", restart }), IO);
  return test.context;
}

const due = (): number => test.waiters.at(-1)?.due ?? -1;
const idOf = (context: ContainersContext): string => recordsOf(context).find("web")?.id ?? "";
const shown = (context: ContainersContext): string => {
  const row = listContainers(context, { all: true, last: -1, size: false, filters: {} })[0];
  return `${row?.state} ${row?.exitCode}`;
};

describe("a container whose policy starts it again", () => {
  it("is shown as restarting and counts as running", async () => {
    const context = await endedOnce();
    expect(shown(context)).toBe("restarting 3");
    expect(listContainers(context, { all: false, last: -1, size: false, filters: {} }).length).toBe(1);
    const document = inspectContainer(context, "web");
    expect(document).toMatchObject({ RestartCount: 1, State: { Status: "restarting", Running: true, ExitCode: 3 } });
    expect(document).toMatchObject({ HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } } });
    expect(due() - Date.parse(String((document["State"] as Record<string, unknown>)["FinishedAt"]))).toBe(100);
  });

  it("is started by the waiter of its moment only", async () => {
    const context = await endedOnce();
    let starts = 0;
    const startDetached = async (): Promise<never> => ((starts += 1), Promise.reject(new Error("no more")));
    const next = { ...context, runtime: { ...context.runtime, startDetached } };
    await restartContainerDue(next, idOf(context), due() + 1);
    expect([starts, shown(context)]).toEqual([0, "restarting 3"]);
    await expect(restartContainerDue(next, idOf(context), due())).rejects.toThrow("no more");
    expect([starts, shown(context)]).toEqual([1, "exited 125"]);
    await restartContainerDue(next, idOf(context), due());
    expect(starts).toBe(1);
  });

  it("gets another waiter when its own was killed", async () => {
    const context = await endedOnce();
    expect((await recoverContainers(context)).rewatched).toEqual([]);
    test.dead.add(process.pid);
    const first = due();
    expect((await recoverContainers(context)).rewatched).toEqual([idOf(context)]);
    expect(test.waiters.map((waiter) => waiter.due)).toEqual([first, first]);
  });

  it("is left ended after a reboot, and can be started", async () => {
    const context = await endedOnce();
    const later = { ...context, processes: { ...context.processes, bootId: () => "another boot" } };
    expect((await recoverContainers(later)).rewatched).toEqual([]);
    expect(shown(later)).toBe("exited 3");
    await startContainer(later, "web", IO);
    expect(inspectContainer(later, "web")).toMatchObject({ RestartCount: 1, State: { Status: "restarting" } });
  });

  it.each([
    ["stop", async (context: ContainersContext) => stopContainer(context, "web")],
    ["kill", async (context: ContainersContext) => killContainer(context, "web", "KILL")],
  ])("stays ended after %s", async (_name, act) => {
    const context = await endedOnce();
    // The waiter of these tests is this process, which leads no group.
    await act(context);
    expect(shown(context)).toBe("exited 3");
    await restartContainerDue(context, idOf(context), due());
    expect(shown(context)).toBe("exited 3");
  });

  it("is removed by force only", async () => {
    const context = await endedOnce();
    const remove = async (force: boolean): Promise<void> => removeContainer(context, "web", { force, volumes: false });
    await expect(remove(false)).rejects.toMatchObject({ code: "E_CONTAINER_STATE", message: /it is restarting/ });
    await remove(true);
    expect(recordsOf(context).list()).toEqual([]);
  });
});

describe("a container stays ended", () => {
  it("when the user's signal ended it", async () => {
    expect(shown(await endedOnce({ endedByUser: true }))).toBe("exited 3");
  });

  it("when `on-failure` has nothing to mend", async () => {
    expect(shown(await endedOnce({ exitCode: 0 }, { name: "on-failure", maximumRetryCount: 0 }))).toBe("exited 0");
  });
});
