// SPDX-License-Identifier: Apache-2.0
/* Restart policies with the real runtime: nobody but the container's own small processes is there between commands. */
import * as fs from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { eventually } from "../support/eventually.ts";
import { Leftovers } from "../support/leftovers.ts";
import { allPids, commandLine } from "../support/processes.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: restart policies: ${reason}`);

const MARKER = `tare-restart-${process.pid}`;
const FOREVER = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"];

describe.skipIf(reason !== undefined)("restart policies", () => {
  let world: ProgramWorld;
  let leftovers: Leftovers;
  beforeAll(() => {
    world = openProgramWorld("restart");
    addBusyboxImage(world);
    leftovers = new Leftovers(world, MARKER);
  });
  afterAll(() => world.close());
  afterEach(async () => {
    world.tare(["rm", "-f", "web"]);
    world.ok("system", "prune", "-f");
    expect(await leftovers.after()).toEqual([]);
  });

  const run = (policy: string, ...command: string[]): string =>
    world.ok(
      "run",
      "-d",
      "--name",
      "web",
      "-e",
      `MARKER=${MARKER}`,
      "--network",
      "none",
      "--restart",
      policy,
      "busybox",
      ...command,
    );
  const facts = (): string =>
    world.ok("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}", "web");
  const pid = (): number => Number(world.ok("inspect", "--format", "{{.State.Pid}}", "web"));

  it("on-failure:2 starts it twice more and keeps all of its output", async () => {
    run("on-failure:2", "sh", "-c", "echo a run; exit 3");
    await eventually(facts).toBe("exited 3 2");
    expect(world.ok("logs", "web")).toBe("a run\na run\na run");
    expect(world.ok("start", "web")).toBe("web");
    await eventually(facts).toBe("exited 3 2");
  });

  it("always starts it after kill -9 of its program; one supervisor is left, and stop ends it", async () => {
    const id = run("always", ...FOREVER);
    for (let n = 1; n <= 3; n += 1) {
      const first = pid();
      process.kill(first, "SIGKILL");
      await eventually(facts).toMatch(new RegExp(`^running (137|0) ${n}$`));
      expect(pid()).not.toBe(first);
    }
    expect(supervisors(id).length).toBe(1);
    expect(
      fs.readFileSync(`/proc/${supervisors(id)[0]}/mountinfo`, "utf8").match(/\/rootfs overlay|\/rootfs /g)?.length,
    ).toBe(1);
    world.ok("stop", "web");
    await sleep(300);
    expect(facts()).toBe("exited 0 3");
  });

  it("goes on when the waiter was killed, with the next command that changes something", async () => {
    run("always", "sh", "-c", "sleep 0.1; exit 1");
    await eventually(facts).toMatch(/restarting 1 [4-9]/);
    const waiters = processesWith(`container-restart.worker`);
    expect(waiters.length).toBe(1);
    for (const waiter of waiters) process.kill(-waiter, "SIGKILL");
    const stuck = facts();
    expect(stuck).toMatch(/^restarting 1/);
    await sleep(2500);
    expect(facts()).toBe(stuck);
    world.tare(["kill", "no-such"]);
    await eventually(facts).not.toBe(stuck);
  });

  it.each([[["stop"]], [["kill"]], [["rm", "-f"]]])("%j ends one that waits for its start", async (words) => {
    run("always", "sh", "-c", "exit 1");
    await eventually(facts).toMatch(/restarting 1 [3-9]/);
    expect(world.ok("ps", "--format", "{{.Status}}")).toMatch(/^Restarting \(1\) /);
    const refusal = expect.stringMatching(/it is (restarting|running)/) as string;
    expect(world.tare(["rm", "web"])).toMatchObject({ code: 1, err: refusal });
    expect(world.ok(...words, "web")).toBe("web");
    await expect.poll(() => processesWith("container-restart.worker")).toEqual([]);
    if (words[0] !== "rm") expect(facts()).toMatch(/^exited 1/);
  });

  it("goes on in the background after a foreground run", async () => {
    const args = [
      "run",
      "--name",
      "web",
      "-e",
      `MARKER=${MARKER}`,
      "--network",
      "none",
      "--restart",
      "always",
      "busybox",
    ];
    expect(world.tare([...args, "sh", "-c", "echo once; exit 4"])).toMatchObject({ code: 4, out: "once\n" });
    await eventually(facts).toMatch(/ 4 [2-9]$/);
    expect(world.ok("logs", "--tail", "1", "web")).toBe("once");
  });

  it("refuses what contradicts itself", () => {
    const create = (...flags: string[]): unknown => world.tare(["create", ...flags, "busybox"]);
    const refusal = (text: string): object => ({ code: 125, err: expect.stringContaining(text) as string });
    expect(create("--rm", "--restart", "always")).toMatchObject(refusal("cannot specify both --restart and --rm"));
    expect(create("--restart", "sometimes")).toMatchObject(refusal("unknown policy 'sometimes'"));
    expect(create("--restart", "always:3")).toMatchObject(refusal("maximum retry count can only be used with"));
    expect(create("--restart", "on-failure:x")).toMatchObject(refusal("maximum retry count must be an integer"));
  });

  function supervisors(id: string): readonly number[] {
    return processesWith(id).filter((number) => commandLine(number).includes("conmon\0"));
  }

  /** Processes of this store with a word on their command line. */
  function processesWith(word: string): readonly number[] {
    return allPids().filter((number) => [word, world.root].every((text) => commandLine(number).includes(text)));
  }
});
