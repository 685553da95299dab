// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordsOf } from "./context.ts";
import { createRequest, emptyImage, testContext } from "./fixture.ts";
import type { TestContext } from "./fixture.ts";
import { createContainer, removeContainer, runContainer } from "./index.ts";
import { renameContainer } from "./exec.ts";
import type { StoredState } from "./types.ts";

let test: TestContext;
beforeEach(() => {
  test = testContext({ runForeground: async () => Promise.resolve({ exitCode: 3, oomKilled: false }) });
});
afterEach(() => test.close());

interface Seen {
  readonly action: string;
  readonly attributes: Readonly<Record<string, string>>;
}

async function seen(): Promise<readonly Seen[]> {
  const found: Seen[] = [];
  for await (const event of test.context.store.events.read({ since: 0, until: Date.now() + 5 })) found.push(event);
  return found;
}
const actions = async (): Promise<string[]> => (await seen()).map(({ action }) => action);

const RUNNING: StoredState = {
  status: "running",
  mode: "detached",
  supervisor: { pid: 1, startTime: "1", bootId: "b" },
  started: false,
  startedAt: 1000,
};
const STARTED: StoredState = { ...RUNNING, started: true };
const EXITED: StoredState = {
  status: "exited",
  exitCode: 7,
  startedAt: 1000,
  finishedAt: 3500,
  oomKilled: false,
  error: "",
};

describe("events of containers", () => {
  it("tell the life of a container that removes itself", async () => {
    const request = createRequest({ autoRemove: true, name: "web", labels: { team: "vision" } });
    const io = { stdout: 1, stderr: 2 };
    await runContainer(test.context, emptyImage(), request, io);
    expect(await actions()).toEqual(["create", "start", "die", "destroy"]);
    const [, , die] = await seen();
    expect(die?.attributes).toEqual({
      exitCode: "3",
      execDuration: "0",
      image: "busybox",
      name: "web",
      team: "vision",
    });
  });

  it.each([
    ["start", RUNNING, { ...RUNNING, started: true }, ["start"]],
    ["nothing twice", { ...RUNNING, started: true }, { ...RUNNING, started: true }, []],
    ["pause", { ...RUNNING, started: true }, { ...RUNNING, started: true, paused: true }, ["pause"]],
    ["unpause", { ...RUNNING, paused: true }, { ...RUNNING, paused: false }, ["unpause"]],
    ["die", STARTED, EXITED, ["die"]],
    ["no die without a start", RUNNING, EXITED, []],
    ["oom before die", STARTED, { ...EXITED, oomKilled: true }, ["oom", "die"]],
    ["no unpause at the end", { ...STARTED, paused: true }, EXITED, ["die"]],
    ["nothing at the beginning of a removal", EXITED, { status: "removing", by: RUNNING.supervisor }, []],
  ] as readonly (readonly [string, StoredState, StoredState, readonly string[]])[])(
    "are read off the record: %s",
    async (_name, before, after, expected) => {
      const { id } = await createContainer(test.context, emptyImage(), createRequest());
      const records = recordsOf(test.context);
      records.update(id, (record) => ({ ...record, state: before }));
      const known = (await actions()).length;
      records.update(id, (record) => ({ ...record, state: after }));
      expect((await actions()).slice(known)).toEqual(expected);
    },
  );

  it("say how long it ran", async () => {
    const { id } = await createContainer(test.context, emptyImage(), createRequest());
    for (const state of [STARTED, EXITED]) recordsOf(test.context).update(id, (record) => ({ ...record, state }));
    expect((await seen()).at(-1)?.attributes).toMatchObject({ execDuration: "2", exitCode: "7" });
  });

  it("tell of a new name with the old one, and of the removal", async () => {
    const { id } = await createContainer(test.context, emptyImage(), createRequest({ name: "old" }));
    renameContainer(test.context, "old", "new");
    await removeContainer(test.context, id, { force: false, volumes: false });
    expect((await seen()).slice(-2)).toMatchObject([
      { action: "rename", attributes: { oldName: "/old", name: "new" } },
      { action: "destroy", attributes: { name: "new" } },
    ]);
  });
});
