// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRequest, emptyImage, testContext } from "./fixture.ts";
import type { TestContext } from "./fixture.ts";
import { createContainer } from "./run.ts";
import { ownersOfProcesses } from "./process-owners.ts";
import { containerStats, trafficOf } from "./stats.ts";

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    5000      50    0    0    0     0          0         0     5000      50    0    0    0     0       0          0
  eth0: 1500000    1000    0    0    0     0          0         0    30000     400    0    0    0     0       0          0
  eth1:     500       5    0    0    0     0          0         0       20       1    0    0    0     0       0          0
`;

describe("the traffic of a container", () => {
  it.each([
    ["all interfaces but the loopback", NET_DEV, { received: 1_500_500, sent: 30_020 }],
    ["only the loopback", NET_DEV.split("\n").slice(0, 3).join("\n"), { received: 0, sent: 0 }],
    ["no space after the colon", "a\nb\neth0:7 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n", { received: 7, sent: 9 }],
    ["a process that is gone", "", {}],
  ] as const)("%s", (_name, text, expected) => expect(trafficOf(text)).toEqual(expected));
});

describe("stats", () => {
  let world: TestContext;
  beforeEach(() => (world = testContext()));
  afterEach(() => world.close());

  it("shows zeros of a container that does not run, with `all` or by name only", async () => {
    const { id } = await createContainer(world.context, emptyImage(), createRequest({ name: "idle" }));
    const round = async (containers: readonly string[], all: boolean): Promise<unknown> =>
      (await containerStats(world.context, { containers, all, stream: false }).next()).value;
    expect(await round([], false)).toEqual([]);
    const row = { id, name: "idle", running: false, cpuPercent: 0, memory: 0, memoryLimit: 0, pids: 0 };
    expect(await round([], true)).toMatchObject([{ ...row, container: id }]);
    expect(await round(["idle"], false)).toMatchObject([{ ...row, container: "idle" }]);
    await expect(round(["other"], false)).rejects.toMatchObject({ code: "E_CONTAINER_NOTFOUND" });
  });

  it("asks a GPU's driver once before the first interval and once at its end, and ends what that started", async () => {
    const calls: string[] = [];
    const sample = async (): Promise<ReadonlyMap<number, { memory: number }>> =>
      Promise.resolve((calls.push("sample"), new Map()));
    const gpuUsage = { open: async () => Promise.resolve({ sample, close: () => void calls.push("close") }) };
    const rounds = containerStats({ ...world.context, gpuUsage }, { containers: [], all: true, stream: true });
    await rounds.next();
    await rounds.return();
    expect(calls).toEqual(["sample", "sample", "close"]);
  });
});

describe("the owners of processes", () => {
  it("are the containers whose control groups they are in", async () => {
    const world = testContext();
    const { id } = await createContainer(world.context, emptyImage(), createRequest({ name: "trainer" }));
    const groups = new Map([
      [11, `0::/tare/${id}/init.scope`],
      [12, `4:memory:/docker/${id.replaceAll(/[0-7]/g, "8")}`],
    ]);
    const processes = { ...world.context.processes, cgroup: (pid: number) => groups.get(pid) ?? "" };
    const owners = ownersOfProcesses({ ...world.context, processes }, [11, 12, 13]);
    expect(owners).toEqual(new Map([[11, { id, name: "trainer" }]]));
    world.close();
  });
});
