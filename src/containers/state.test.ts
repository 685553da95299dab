// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startTimeOfStat } from "../base/index.ts";
import type { ProcessTable } from "./process-identity.ts";
import { deriveState } from "./state.ts";
import type { StateFiles } from "./state.ts";
import type { ContainerRecord, DerivedState, StoredState } from "./types.ts";

const ID = "ab".repeat(32);
let folder = "";
let files: StateFiles;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-state-"));
  files = { pidFile: join(folder, "pid"), exitFile: join(folder, "exit"), oomFile: join(folder, "oom") };
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function table(alive: Readonly<Record<number, string>>, cgroup: string = "", words: string = ""): ProcessTable {
  return { bootId: () => "now", startTime: (pid) => alive[pid], cgroup: () => cgroup, words: () => words };
}

const SUPERVISOR = { pid: 10, startTime: "100", bootId: "now" };
const INIT = { pid: 20, startTime: "200", bootId: "now" };

function running(extra: Partial<Extract<StoredState, { status: "running" }>> = {}): StoredState {
  return { status: "running", mode: "detached", supervisor: SUPERVISOR, started: true, startedAt: 5, ...extra };
}

function derive(state: StoredState, processes: ProcessTable): DerivedState {
  return deriveState({ id: ID, state, host: {} } as ContainerRecord, files, processes);
}

describe("derived state", () => {
  const cases: readonly [string, StoredState, ProcessTable, Partial<DerivedState>][] = [
    ["created", { status: "created" }, table({}), { status: "created", pid: 0 }],
    ["running", running({ process: INIT }), table({ 10: "100", 20: "200" }), { status: "running", pid: 20 }],
    ["running without supervisor", running({ process: INIT }), table({ 20: "200" }), { status: "running", pid: 20 }],
    ["both gone", running({ process: INIT }), table({}), { status: "exited", exitCode: 137 }],
    ["pids used again", running({ process: INIT }), table({ 10: "1", 20: "1" }), { status: "exited", exitCode: 137 }],
    [
      "after a reboot",
      running({ process: { ...INIT, bootId: "old" }, supervisor: { ...SUPERVISOR, bootId: "old" } }),
      table({ 10: "100", 20: "200" }),
      { status: "exited", exitCode: 137 },
    ],
    [
      "never let go, as its starter was killed",
      running({ started: false, process: INIT }),
      table({ 20: "200" }, "", "/usr/sbin/runc\0init\0"),
      { status: "exited", exitCode: 137, error: "its start was interrupted" },
    ],
    [
      "never let go by crun",
      running({ started: false, process: INIT }),
      table({ 20: "200" }, "", `crun\0create\0--bundle\0/containers/${ID}\0`),
      { status: "exited", exitCode: 137, error: "its start was interrupted" },
    ],
    [
      "let go by a starter that was killed before it said so",
      running({ started: false, process: INIT }),
      table({ 20: "200" }, "", "sh\0-c\0sleep 1\0"),
      { status: "running", pid: 20 },
    ],
    ["being started", running({ started: false }), table({ 10: "100" }), { status: "created" }],
    ["being removed", { status: "removing", by: SUPERVISOR }, table({ 10: "100" }), { status: "removing" }],
    ["half removed", { status: "removing", by: SUPERVISOR }, table({}), { status: "dead" }],
  ];
  it.each(cases)("%s", (_name, state, processes, expected) => {
    expect(derive(state, processes)).toMatchObject(expected);
  });

  it("reads the exit file of conmon, its time and its note of an out-of-memory kill", () => {
    fs.writeFileSync(files.exitFile, "3");
    fs.utimesSync(files.exitFile, 1000, 1000);
    fs.writeFileSync(files.oomFile, "");
    const expected = { status: "exited", exitCode: 3, finishedAt: 1_000_000, oomKilled: true };
    expect(derive(running({ process: INIT }), table({ 10: "100", 20: "200" }))).toMatchObject(expected);
  });

  it("believes the pid file while the supervisor lives, later only with the cgroup's word", () => {
    fs.writeFileSync(files.pidFile, "20");
    const state = running({ started: false, mode: "foreground" });
    expect(derive(state, table({ 10: "100", 20: "200" }))).toMatchObject({ status: "running", pid: 20 });
    expect(derive(state, table({ 20: "200" }, `0::/tare/${ID}`))).toMatchObject({ status: "running", pid: 20 });
    expect(derive(state, table({ 20: "200" }, "0::/user.slice"))).toMatchObject({ status: "exited" });
  });

  it("stays running until a live supervisor has written the end", () => {
    fs.writeFileSync(files.pidFile, "20");
    expect(derive(running({ started: false, mode: "foreground" }), table({ 10: "100" }))).toMatchObject({
      status: "running",
      pid: 0,
    });
  });
});

describe("process start time", () => {
  it.each([
    ["1 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20", "777"],
    ["1 (sh) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20", undefined],
    [undefined, undefined],
  ])("of %j", (stat, expected) => {
    expect(startTimeOfStat(stat)).toBe(expected);
  });
});
