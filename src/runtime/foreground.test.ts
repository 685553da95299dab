// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_CAPABILITIES, knownCapabilities } from "./capabilities.ts";
import { runForeground } from "./foreground.ts";
import type { ForegroundTask } from "./foreground.ts";
import type { SpecInput } from "./spec.ts";
import { openTestStore, testTask, whyNoContainers } from "./test-support.ts";
import type { TestStore } from "./test-support.ts";

const CAPABILITIES = knownCapabilities(63);
const reason = whyNoContainers();
if (reason !== undefined) console.log(`skipped: containers in the foreground: ${reason}`);

describe.skipIf(reason !== undefined)("a container in the foreground", () => {
  let store: TestStore;
  beforeAll(async () => {
    store = await openTestStore();
  });
  afterAll(() => store.close());

  const run = async (args: readonly string[], input: Partial<SpecInput> = {}, more: Partial<ForegroundTask> = {}) => {
    const out = ["", "", ""];
    const onOutput = (stream: 1 | 2, data: Buffer): void => void (out[stream] += data.toString());
    const task = testTask(store, args, input);
    const result = await runForeground({ ...task, stdio: { onOutput }, ...more });
    return { ...result, stdout: out[1] ?? "", stderr: out[2] ?? "", bundle: task.bundle, id: task.id };
  };

  it.each([true, false])(
    "gives exit code and output, and its changes are the upper directory (dieWithParent %s)",
    async (dieWithParent) => {
      const before = readFileSync("/proc/self/mountinfo", "utf8");
      const script = "cat /data/file; echo problem >&2; touch /made; exit 42";
      const result = await run(["sh", "-c", script], {}, { dieWithParent });
      expect(result).toMatchObject({ exitCode: 42, stdout: "from the upper layer\n", stderr: "problem\n" });
      expect(readdirSync(join(result.bundle, "upper"))).toEqual(["made"]);
      expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
      expect(leftovers(store, result.id)).toEqual([]);
    },
  );

  it("hands on environment, working directory, user and standard input", async () => {
    const input = {
      env: ["PATH=/bin", "A=b c"],
      cwd: "/data",
      user: { uid: 1000, gid: 1000, additionalGids: [1000, 7] },
    };
    const stdio = { stdin: Readable.from(["typed\n"]), onOutput: (): void => undefined };
    expect((await run(["sh", "-c", 'echo "$A $PWD $(id -u) $(id -g) $(id -G)"'], input)).stdout).toBe(
      "b c /data 1000 1000 1000 7\n",
    );
    expect((await run(["sh", "-c", 'read line; test "$line" = typed'], {}, { stdio })).exitCode).toBe(0);
  });

  it.each([
    { mode: "run" as const, uid: 0 },
    { mode: "build" as const, uid: 0 },
    { mode: "run" as const, uid: 1000 },
  ])("confines a process: $mode as $uid", async ({ mode, uid }) => {
    const { stdout } = await run(["cat", "/proc/self/status"], { mode, user: { uid, gid: uid } });
    const field = (name: string): string => new RegExp(`^${name}:\\s*0*([0-9a-f]+)$`, "m").exec(stdout)?.[1] ?? "?";
    const mask = DEFAULT_CAPABILITIES[mode].reduce(
      (bits, name) => bits | (1n << BigInt(CAPABILITIES.indexOf(name))),
      0n,
    );
    const bounding = mask.toString(16);
    if (mode === "run") expect(bounding).toBe("4fb");
    expect(field("CapEff")).toBe(uid === 0 ? bounding : "0");
    expect(field("CapPrm")).toBe(uid === 0 ? bounding : "0");
    expect(field("CapBnd")).toBe(bounding);
    expect(field("CapInh")).toBe("0");
    expect(field("CapAmb")).toBe("0");
    expect(field("NoNewPrivs")).toBe("1");
    expect(field("Seccomp")).toBe("2");
  });

  it("masks what a container should not see and has no descriptors of the host", async () => {
    const script = [
      "for f in /proc/keys /proc/timer_list /proc/interrupts; do wc -c < $f; done",
      "ls /sys/firmware /proc/acpi /sys/dev/block",
      "(echo x > /proc/sys/kernel/domainname) || echo refused",
      "ls /proc/self/fd",
    ].join("; ");
    const { stdout } = await run(["sh", "-c", `exec 2>/dev/null; ${script}`]);
    expect(stdout).not.toMatch(/^[1-9]\d*$(?<!^[0-3])/m);
    expect(stdout).toMatch(/refused/);
    expect(
      stdout
        .split("\n")
        .filter((line) => /^\d+$/.test(line))
        .at(-1),
    ).toBe("3");
  });

  it.each([
    ["nosuch", "E_EXEC_NOENT", 127],
    ["/nosuch", "E_EXEC_NOENT", 127],
    ["/no-interpreter", "E_EXEC_NOENT", 127],
    ["/garbage", "E_EXEC_FORMAT", 126],
    ["/not-executable", "E_EXEC_DENIED", 126],
    ["/etc", "E_EXEC_DENIED", 126],
  ])("says why `%s` can't be started: %s, exit code %i", async (command, code, exitCode) => {
    await expect(run([command])).rejects.toMatchObject({ code, exitCode });
  });

  it("keeps the runtime's own error lines out of the output", async () => {
    let seen = "";
    const stdio = { onOutput: (_: 1 | 2, data: Buffer): void => void (seen += data.toString()) };
    await expect(run(["nosuch"], {}, { stdio })).rejects.toThrow(/`nosuch` is not in the image/);
    expect(seen).toBe("");
  });

  it("says that a working directory can't be used", async () => {
    await expect(run(["true"], { cwd: "/not-executable" })).rejects.toMatchObject({ code: "E_CWD", exitCode: 125 });
  });

  it("says which mount failed", async () => {
    const task = testTask(store, ["true"]);
    const overlays = [{ target: join(task.bundle, "rootfs"), lower: ["l/missing", "l/base"] }];
    const failing = runForeground({ ...task, overlays, stdio: { onOutput: () => undefined } });
    await expect(failing).rejects.toMatchObject({ code: "E_OVERLAY", exitCode: 125 });
  });

  it("works with one layer read-only, and fails clearly without any layer", async () => {
    const task = testTask(store, ["sh", "-c", "touch /x || exit 9"], { readonlyRootfs: true });
    const target = join(task.bundle, "rootfs");
    const stdio = { onOutput: (): void => undefined };
    expect((await runForeground({ ...task, overlays: [{ target, lower: ["l/base"] }], stdio })).exitCode).toBe(9);
    const empty = testTask(store, ["/true"]);
    const overlays = [{ ...empty.overlays[0], target: join(empty.bundle, "rootfs"), lower: [] }];
    await expect(runForeground({ ...empty, overlays, stdio })).rejects.toMatchObject({ code: "E_EXEC_NOENT" });
  });

  it.each([true, false])("leaves nothing after an abort (dieWithParent %s)", async (dieWithParent) => {
    const controller = new AbortController();
    const onOutput = (_: 1 | 2, data: Buffer): void => void (data.includes("up") && controller.abort());
    const task = testTask(store, ["sh", "-c", "trap '' TERM; sleep 1234 & echo up; wait"]);
    const running = runForeground({ ...task, stdio: { onOutput }, signal: controller.signal, dieWithParent });
    await expect(running).rejects.toMatchObject({ code: "E_ABORTED", exitCode: 130 });
    expect(leftovers(store, task.id)).toEqual([]);
    expect(processesNamed("1234")).toEqual([]);
  });

  it("knows when memory ran out", async () => {
    const script = "x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done";
    const result = await run(["sh", "-c", script], {
      resources: { memory: 16 << 20, memorySwap: 16 << 20, pidsLimit: 50 },
    });
    expect(result).toMatchObject({ exitCode: 137, oomKilled: true });
    expect(leftovers(store, result.id)).toEqual([]);
  });
});

/** Control groups and records that a container has left. */
function leftovers(store: TestStore, id: string): string[] {
  const groups = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => `${line.split(" ")[4] ?? ""}/tare/${id}`);
  return [...groups, join(store.stateRoot, id)].filter((path) => existsSync(path));
}

/** Command lines of processes that have this word as an argument. */
function processesNamed(word: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const line = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
      return line.split("\0").includes(word) ? [line] : [];
    } catch {
      return [];
    }
  });
}
