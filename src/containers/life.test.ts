// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { TareError } from "../base/index.ts";
import { filesOf, recordsOf } from "./context.ts";
import type { ContainersContext } from "./context.ts";
import { renameContainer } from "./exec.ts";
import { createRequest, emptyImage, testContext } from "./fixture.ts";
import type { TestContext } from "./fixture.ts";
import { inspectContainer } from "./inspect.ts";
import { listContainers } from "./list.ts";
import { recoverContainers } from "./recover.ts";
import { pruneContainers, removeContainer } from "./remove.ts";
import { createContainer, runContainer, startContainer } from "./run.ts";
import type { ContainerRuntime } from "./runtime-port.ts";
import type { ContainerRecord, StoredState } from "./types.ts";

const ALL = { all: true, last: -1, size: false, filters: {} };
const IO = { stdout: 1, stderr: 2 };
let test: TestContext;
afterEach(() => test.close());

const ends = (exitCode: number): Partial<ContainerRuntime> => ({
  runForeground: async () => Promise.resolve({ exitCode, oomKilled: false }),
});

function statesOf(context: ContainersContext): readonly string[] {
  return listContainers(context, ALL).map((row) => `${row.name} ${row.state} ${row.exitCode ?? "-"}`);
}

/** A container whose record says that `pid` of the given start time supervises it. */
async function abandoned(
  context: ContainersContext,
  fields: { name: string; autoRemove?: boolean },
): Promise<ContainerRecord> {
  const { id } = await createContainer(context, emptyImage(), createRequest(fields));
  const supervisor = { pid: 1, startTime: "of another process", bootId: context.processes.bootId() };
  const state: StoredState = { status: "running", mode: "foreground", supervisor, started: false, startedAt: 1 };
  const record = recordsOf(context).update(id, (known) => ({ ...known, state }));
  return record as ContainerRecord;
}

describe("a foreground run", () => {
  it("leaves a record with its end, or with --rm nothing", async () => {
    test = testContext(ends(3));
    const { context } = test;
    await runContainer(context, emptyImage(), createRequest({ name: "kept" }), IO);
    const gone = await runContainer(context, emptyImage(), createRequest({ name: "gone", autoRemove: true }), IO);
    expect(gone.exitCode).toBe(3);
    expect(statesOf(context)).toEqual(["kept exited 3"]);
    expect(fs.readdirSync(context.store.containersRoot).length).toBe(1);
  });

  it("that can't start keeps the error and its exit code, and throws it", async () => {
    const failure = new TareError("E_UNSUPPORTED", "no", { exitCode: 127 });
    test = testContext({ runForeground: async () => Promise.reject(failure) });
    const { context } = test;
    await expect(runContainer(context, emptyImage(), createRequest({ name: "bad" }), IO)).rejects.toBe(failure);
    expect(inspectContainer(context, "bad")["State"]).toMatchObject({ ExitCode: 127, Error: "no" });
  });

  it("makes nothing when a mount is wrong", async () => {
    test = testContext(ends(0));
    const missing = { type: "bind", source: "/no/such", target: "/x", readonly: false, createSource: false } as const;
    const request = createRequest({ mounts: [{ ...missing, recursive: true }] });
    await expect(runContainer(test.context, emptyImage(), request, IO)).rejects.toMatchObject({
      code: "E_MOUNT_SOURCE",
    });
    expect(statesOf(test.context)).toEqual([]);
    expect(fs.readdirSync(test.context.store.containersRoot)).toEqual([]);
  });
});

describe("names", () => {
  it("are unique and change hands by rename and removal", async () => {
    test = testContext();
    const { context } = test;
    const make = async (name: string): Promise<string> =>
      (await createContainer(context, emptyImage(), createRequest({ name }))).id;
    await make("web");
    await expect(make("web")).rejects.toMatchObject({ code: "E_NAME_TAKEN" });
    await renameContainer(context, "web", "old");
    await make("web");
    await expect(renameContainer(context, "old", "web")).rejects.toMatchObject({ code: "E_NAME_TAKEN" });
    await removeContainer(context, "web", { force: false, volumes: false });
    await make("web");
    expect(statesOf(context).toSorted()).toEqual(["old created -", "web created -"]);
  });
});

describe("recovery", () => {
  it("does nothing quickly when there is nothing to do", async () => {
    test = testContext(ends(0));
    await runContainer(test.context, emptyImage(), createRequest(), IO);
    await createContainer(test.context, emptyImage(), createRequest());
    expect(await recoverContainers(test.context)).toEqual({
      settled: [],
      removed: [],
      rewatched: [],
      folders: [],
      failed: [],
    });
    expect(test.calls).toEqual([]);
  });

  it("settles what lost its supervisor, removes what should have removed itself", async () => {
    test = testContext();
    const { context, calls } = test;
    await abandoned(context, { name: "lost" });
    await abandoned(context, { name: "self", autoRemove: true });
    expect(statesOf(context).toSorted()).toEqual(["lost exited 137", "self exited 137"]);
    expect((await recoverContainers(context)).settled.length).toBe(2);
    expect(calls.toSorted()).toEqual(["cleanup lost", "cleanup self"]);
    expect(statesOf(context)).toEqual(["lost exited 137"]);
    expect((await recoverContainers(context)).settled).toEqual([]);
  });

  it("finishes a removal and deletes folders without a record", async () => {
    test = testContext();
    const { context } = test;
    const { id } = await abandoned(context, { name: "half" });
    const by = { pid: 1, startTime: "gone", bootId: "old" };
    recordsOf(context).update(id, (record) => ({ ...record, state: { status: "removing", by } }));
    fs.mkdirSync(filesOf(context, "stray").upper, { recursive: true });
    expect(await recoverContainers(context)).toMatchObject({ removed: [id], folders: ["stray"], failed: [] });
    expect(fs.readdirSync(context.store.containersRoot)).toEqual([]);
  });

  it("leaves to a live process what it has claimed", async () => {
    test = testContext();
    const { context } = test;
    const { id } = await abandoned(context, { name: "claimed" });
    const claimedBy = { pid: 1, startTime: context.processes.startTime(1) ?? "", bootId: context.processes.bootId() };
    recordsOf(context).update(id, (record) => ({ ...record, state: { ...record.state, claimedBy } as StoredState }));
    expect((await recoverContainers(context)).settled).toEqual([]);
  });

  it("reports what it can't clear up and goes on", async () => {
    test = testContext({ cleanup: async () => Promise.reject(new Error("stuck")) });
    const { id } = await abandoned(test.context, { name: "stuck" });
    expect((await recoverContainers(test.context)).failed).toMatchObject([{ id }]);
  });
});

describe("start, prune", () => {
  it("starts a lost container again", async () => {
    test = testContext(ends(0));
    await abandoned(test.context, { name: "again" });
    expect(await startContainer(test.context, "again", IO)).toMatchObject({ exitCode: 0 });
    expect(statesOf(test.context)).toEqual(["again exited 0"]);
  });

  it("prunes by label what does not run", async () => {
    test = testContext();
    const make = async (name: string, labels: Record<string, string>): Promise<string> =>
      (await createContainer(test.context, emptyImage(), createRequest({ name, labels }))).id;
    await make("keep-it", {});
    const id = await make("drop-it", { old: "1" });
    expect((await pruneContainers(test.context, { label: ["old=1"] })).ids).toEqual([id]);
    expect(statesOf(test.context)).toEqual(["keep-it created -"]);
  });
});
