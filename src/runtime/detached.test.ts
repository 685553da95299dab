// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanupContainer } from "./cleanup.ts";
import { containerState, killContainer, pauseContainer, resumeContainer, updateResources } from "./control.ts";
import { startDetached } from "./detached.ts";
import type { DetachedTask } from "./detached.ts";
import { execInContainer } from "./exec.ts";
import { locate } from "./find.ts";
import { buildProcess } from "./spec.ts";
import { openTestStore, testTask, whyNoContainers } from "./test-support.ts";
import type { TestStore } from "./test-support.ts";

const reason = whyNoContainers() ?? (locate("conmon") === undefined ? "conmon is not installed" : undefined);
if (reason !== undefined) console.log(`skipped: detached containers: ${reason}`);

describe.skipIf(reason !== undefined)("a detached container", () => {
  let store: TestStore;
  const started: DetachedTask[] = [];
  beforeAll(async () => {
    store = await openTestStore();
  });
  afterAll(async () => {
    for (const task of started)
      await cleanupContainer(task.runtime, task.stateRoot, task.id, task.spec.linux.cgroupsPath);
    store.close();
  });

  const detached = (args: readonly string[], input: Parameters<typeof testTask>[2] = {}): DetachedTask => {
    const task = testTask(store, args, input);
    const full: DetachedTask = {
      ...task,
      log: { kind: "file", path: join(task.bundle, "log") },
      exitDirectory: join(task.bundle, "exits"),
      pidFile: join(task.bundle, "pid"),
      conmonPidFile: join(task.bundle, "conmon-pid"),
    };
    started.push(full);
    return full;
  };
  const exec = async (task: DetachedTask, args: readonly string[], user = { uid: 0, gid: 0 }) => {
    let output = "";
    const exitCode = await execInContainer({
      ...task,
      folder: join(task.bundle, "exec"),
      process: buildProcess({ args, env: ["PATH=/bin"], cwd: "/", user }, { mode: "run" }),
      stdio: { onOutput: (_, data) => void (output += data.toString()) },
    });
    return { exitCode, output };
  };

  it("runs on, keeps its log and its exit code, and the host sees no mount", async () => {
    const before = readFileSync("/proc/self/mountinfo", "utf8");
    const task = detached(["sh", "-c", "echo out; echo err >&2; exit 3"]);
    const { pid, conmonPid } = await startDetached(task);
    expect(pid).toBeGreaterThan(1);
    expect(conmonPid).toBeGreaterThan(1);
    expect(await exitCodeOf(task)).toBe(3);
    const log = readFileSync(logOf(task), "utf8");
    expect(log).toMatch(/^\S+ stdout F out$/m);
    expect(log).toMatch(/^\S+ stderr F err$/m);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
  });

  it("can be entered, paused, limited, asked and killed", async () => {
    const task = detached(["sleep", "1000"]);
    const { pid } = await startDetached(task);
    expect(await containerState(task)).toMatchObject({ status: "running", pid });
    expect(await exec(task, ["sh", "-c", "id -u; exit 7"], { uid: 1, gid: 1 })).toEqual({ exitCode: 7, output: "1\n" });
    const status = (await exec(task, ["cat", "/proc/self/status"])).output;
    expect(status).toMatch(/CapEff:\s*0*4fb\n[^]*CapAmb:\s*0+\n[^]*NoNewPrivs:\s*1\nSeccomp:\s*2/);
    await expect(exec(task, ["nosuch"])).rejects.toMatchObject({ code: "E_EXEC_NOENT", exitCode: 127 });
    await expect(exec(task, ["/not-executable"])).rejects.toMatchObject({ code: "E_EXEC_DENIED", exitCode: 126 });
    await updateResources(task, { memory: { limit: 64 << 20, swap: 128 << 20 } });
    await pauseContainer(task);
    expect(await containerState(task)).toMatchObject({ status: "paused" });
    await resumeContainer(task);
    expect(await killContainer(task, "KILL")).toBe(true);
    expect(await exitCodeOf(task)).toBe(137);
    await cleanupContainer(task.runtime, task.stateRoot, task.id, task.spec.linux.cgroupsPath);
    expect(await containerState(task)).toBeUndefined();
    expect(await killContainer(task, "TERM")).toBe(false);
  });

  it("passes signals by name and number to the program", async () => {
    const task = detached([
      "sh",
      "-c",
      "trap 'exit 21' TERM; trap 'exit 22' USR1; echo ready; while true; do sleep 0.05; done",
    ]);
    await startDetached(task);
    await until(() => existsSync(logOf(task)) && readFileSync(logOf(task), "utf8").includes("ready"));
    await killContainer(task, "10");
    expect(await exitCodeOf(task)).toBe(22);
  });

  it("gives a terminal when asked", async () => {
    const task = detached(["sh", "-c", "test -t 0 && test -t 1 && stty size"], {
      terminal: true,
      consoleSize: { height: 30, width: 90 },
    });
    await startDetached({ ...task, stdin: true });
    expect(await exitCodeOf(task)).toBe(0);
  });

  it.each([
    ["nosuch", "E_EXEC_NOENT", 127],
    ["/not-executable", "E_EXEC_DENIED", 126],
  ])("says why `%s` can't be started and leaves nothing", async (command, code, exitCode) => {
    const task = detached([command]);
    await expect(startDetached(task)).rejects.toMatchObject({ code, exitCode });
    expect(existsSync(join(store.stateRoot, task.id))).toBe(false);
  });

  it("calls the exit command", async () => {
    const task = detached(["true"]);
    const marker = join(task.bundle, "ended");
    writeFileSync(join(task.bundle, "script"), `#!/bin/sh\necho "$1" > ${marker}\n`, { mode: 0o755 });
    await startDetached({ ...task, exitCommand: [join(task.bundle, "script"), "value"] });
    await until(() => existsSync(marker));
    expect(readFileSync(marker, "utf8")).toBe("value\n");
  });

  it.each(["running", "paused"])("is gone after a clean-up while %s", async (status) => {
    const task = detached(["sh", "-c", "trap '' TERM; sleep 1000"]);
    const { pid, conmonPid } = await startDetached(task);
    if (status === "paused") await pauseContainer(task);
    await cleanupContainer(task.runtime, task.stateRoot, task.id, task.spec.linux.cgroupsPath);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    await until(() => !existsSync(`/proc/${conmonPid}`));
    await cleanupContainer(task.runtime, task.stateRoot, task.id, task.spec.linux.cgroupsPath);
  });
});

const logOf = (task: DetachedTask): string => join(task.bundle, "log");

async function exitCodeOf(task: DetachedTask): Promise<number> {
  const path = join(task.exitDirectory, task.id);
  await until(() => existsSync(path));
  return Number(readFileSync(path, "utf8"));
}

async function until(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (condition()) return;
    await sleep(20);
  }
  throw new Error("waited ten seconds in vain");
}
