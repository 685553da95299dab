// SPDX-License-Identifier: Apache-2.0
/* HEALTHCHECK with the real runtime: who carries it out, what is shown, and that nothing of it survives its container. */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { eventually } from "../support/eventually.ts";
import { Leftovers } from "../support/leftovers.ts";
import { textOf } from "../support/processes.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: health checks: ${reason}`);

const MARKER = `tare-health-${process.pid}`;
const CONFIG = `CMD ["sleep", "1000"]\nHEALTHCHECK --interval=200ms --retries=2 CMD echo looked; test ! -e /tmp/ill`;

describe.skipIf(reason !== undefined)("health checks", () => {
  let world: ProgramWorld;
  let leftovers: Leftovers;
  beforeAll(() => {
    world = openProgramWorld("health");
    addBusyboxImage(world, CONFIG);
    leftovers = new Leftovers(world, MARKER);
  });
  afterAll(() => world.close());
  afterEach(async () => {
    world.tare(["rm", "-f", "web"]);
    world.ok("system", "prune", "-f");
    expect(await leftovers.after()).toEqual([]);
  });

  const run = (...flags: string[]): string =>
    world.ok("run", "-d", "--name", "web", "-e", `MARKER=${MARKER}`, "--network", "none", ...flags, "busybox");
  const inspect = (template: string): string => world.ok("inspect", "--format", template, "web");
  const until = (status: string): Promise<unknown> =>
    eventually(() => inspect("{{.State.Health.Status}}")).toBe(status);
  const watchers = (): readonly string[] =>
    spawnSync("pgrep", ["-f", `^sh -c.*${world.root}/v1/containers/.*/health`])
      .stdout.toString()
      .split("\n")
      .filter(Boolean);
  /** The shell leads a group; parts of it show the same command line. */
  const leaders = (): readonly string[] => watchers().filter((pid) => statField(pid, 5) === pid);

  it("of an image are carried out, shown by ps and inspect, and found by a filter", async () => {
    run();
    expect(world.ok("ps", "--format", "{{.Status}}")).toMatch(/^Up .* \((health: starting|healthy)\)$/);
    await until("healthy");
    expect(world.ok("ps", "--format", "{{.Status}}", "--filter", "health=healthy")).toMatch(/ \(healthy\)$/);
    world.ok("exec", "web", "touch", "/tmp/ill");
    await until("unhealthy");
    expect(world.ok("ps", "-q", "--filter", "health=healthy")).toBe("");
    const health = JSON.parse(inspect("{{json .State.Health}}")) as {
      FailingStreak: number;
      Log: { Output: string }[];
    };
    expect(health.FailingStreak).toBeGreaterThan(1);
    expect(health.Log.at(-1)).toMatchObject({ ExitCode: 1, Output: "looked\n" });
    world.ok("restart", "-t", "0", "web");
    expect(inspect("{{.State.Health.Status}} {{.State.Health.FailingStreak}}")).toMatch(/^(starting|unhealthy) \d+$/);
    world.ok("exec", "web", "rm", "/tmp/ill");
    await until("healthy");
    expect(leaders().length).toBe(1);
    world.ok("stop", "-t", "0", "web");
    expect([inspect("{{.State.Health.Status}}"), watchers()]).toEqual(["unhealthy", []]);
  });

  it("of the command line replace the image's; a check that hangs is killed with all it started", async () => {
    // Long enough that no second check has begun when the first one's end is looked at.
    const timing = ["--health-interval", "3s", "--health-timeout", "300ms", "--health-retries", "1"];
    run("--health-cmd", `sh -c 'sleep 77; true'`, ...timing);
    await until("unhealthy");
    const output = "Health check exceeded timeout (300ms)";
    expect(JSON.parse(inspect("{{json .State.Health.Log}}"))[0]).toMatchObject({ ExitCode: -1, Output: output });
    await sleep(50);
    world.ok("pause", "web");
    expect(world.ok("top", "web")).not.toContain("sleep 77");
    world.ok("unpause", "web");
  });

  it("are none with --no-healthcheck", () => {
    run("--no-healthcheck");
    expect([inspect("{{json .State.Health}}"), watchers()]).toEqual(["null", []]);
  });

  it("go on when kill -9 hit their watcher, with the next command that changes something", async () => {
    run();
    await until("healthy");
    for (const pid of leaders()) process.kill(-Number(pid), "SIGKILL");
    expect(leaders()).toEqual([]);
    world.tare(["kill", "no-such"]);
    expect(leaders().length).toBe(1);
    world.ok("exec", "web", "touch", "/tmp/ill");
    await until("unhealthy");
  });

  it("end with the container, whatever ended it", async () => {
    run();
    await until("healthy");
    process.kill(Number(inspect("{{.State.Pid}}")), "SIGKILL");
    await expect.poll(watchers, { timeout: 10_000 }).toEqual([]);
    world.ok("start", "web");
    await until("healthy");
    const conmon = spawnSync("pgrep", ["-f", `conmon .*--bundle ${world.root}`])
      .stdout.toString()
      .trim();
    process.kill(Number(conmon), "SIGKILL");
    process.kill(Number(inspect("{{.State.Pid}}")), "SIGKILL");
    // Nobody is there to clear up: the watcher looks by itself every five seconds.
    await expect.poll(watchers, { timeout: 15_000, interval: 200 }).toEqual([]);
  });

  it("are carried out in the foreground too", async () => {
    const child = world.start([
      "run",
      "--rm",
      "--name",
      "web",
      "-e",
      `MARKER=${MARKER}`,
      "--network",
      "none",
      "busybox",
    ]);
    await eventually(() => world.tare(["ps", "--format", "{{.Status}}"]).out).toMatch(/\(healthy\)/);
    world.ok("stop", "-t", "0", "web");
    await expect.poll(() => child.exitCode, { timeout: 10_000 }).toBe(137);
    expect(watchers()).toEqual([]);
  });
});

function statField(pid: string, number: number): string | undefined {
  return textOf(`/proc/${pid}/stat`)
    .replace(/^.*\) /, "")
    .split(" ")[number - 3];
}
