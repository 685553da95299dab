// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRequest, emptyImage, testContext } from "./fixture.ts";
import type { TestContext } from "./fixture.ts";
import { createContainer } from "./run.ts";
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
});
