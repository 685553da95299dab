// SPDX-License-Identifier: Apache-2.0
/*
 * A detached container while it is being started. The runtime of these tests is a script around runc that stops before
 * `runc create`, before `runc start` or in the middle of it until the test lets it go on, so that other commands meet
 * the container there for certain.
 */
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: commands during a start: ${reason}`);

const SLEEPER = ["busybox", "sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.05; done"];

describe.skipIf(reason !== undefined)("while a container is being started", () => {
  let world: ProgramWorld;
  let scripts = 0;
  const at = (name: string): string => join(world.folder, name);
  /** Waits before this step of runc. */
  const before = (step: "create" | "start"): string => runtimeScript(step, `${GATE}\nexec runc "$@"`);
  /** What `runc start` does (lets the program go, removes the FIFO), with the gate between its two steps. */
  const between = (): string => {
    const steps = `fifo=$2/$id/exec.fifo\ncat "$fifo" >/dev/null\n${GATE}\n`;
    return runtimeScript("start", `${steps}rm "$fifo"`);
  };
  /** Waits at `arrived` until `go` is there. */
  const GATE = '>"$dir/arrived"; while ! [ -e "$dir/go" ]; do sleep 0.02; done';

  function runtimeScript(step: string, instead: string): string {
    const path = at(`runtime-${(scripts += 1)}`);
    const head = `#!/bin/sh\ndir=${world.folder}\nfor id; do :; done\n`;
    fs.writeFileSync(path, `${head}case " $* " in *" ${step} "*)\n${instead}\nexit;;\nesac\nexec runc "$@"\n`, {
      mode: 0o755,
    });
    return path;
  }

  async function arrived(): Promise<void> {
    while (!fs.existsSync(at("arrived"))) await sleep(10);
  }
  const go = (): void => fs.writeFileSync(at("go"), "");
  const launch = (runtime: string, name: string, command: readonly string[], ...flags: string[]): Promise<Outcome> =>
    world.tareAsync(["run", "-d", "--runtime", runtime, "--name", name, ...flags, ...command]);
  const idOf = (name: string): string => world.ok("inspect", "--format", "{{.Id}}", name);
  const states = (): string => world.ok("ps", "-a", "--format", "{{.Names}} {{.State}}");

  beforeAll(() => {
    world = openProgramWorld("starting");
    addBusyboxImage(world);
  });
  afterAll(() => {
    go();
    world.close();
  });
  beforeEach(() => {
    for (const id of world.ok("ps", "-aq").split("\n").filter(Boolean)) world.ok("rm", "-f", id);
    for (const name of ["arrived", "go"]) fs.rmSync(at(name), { force: true });
  });

  // The first looks at everything that has ended, the second is called by conmon, too, when the program has.
  describe.each([[["--rm"]], [[]]])("and its program has ended already (%j)", (flags) => {
    it.each([[["system", "prune", "-f"]], [["container", "prune", "-f"]], [["rename", "no-such", "other"]]])(
      "%j leaves it to the starter",
      async (words) => {
        const run = launch(between(), "brief", ["busybox", "true"], ...flags);
        await arrived();
        while (!/exited/.test(states())) await sleep(20);
        const started = performance.now();
        const other = await world.tareAsync(words);
        expect(performance.now() - started).toBeLessThan(8000);
        if (words[0] !== "rename") expect(other).toMatchObject({ code: 0 });
        go();
        expect(await run).toMatchObject({ code: 0, err: "" });
        expect(states()).toBe(flags.length > 0 ? "" : "brief exited");
      },
    );
  });

  const STEPS = ["create", "start"] as const;

  describe.each(STEPS)("before %s", (step) => {
    it.each<[readonly string[], string]>([
      [["system", "prune", "-f"], "it running"],
      [["container", "prune", "-f"], "it running"],
      [["create", "--name", "second", "busybox"], "second created\nit running"],
      [["rename", "it", "other"], "other running"],
    ])("%j does its work at once", async (words, after) => {
      const run = launch(before(step), "it", SLEEPER);
      await arrived();
      const started = performance.now();
      expect(await world.tareAsync(words)).toMatchObject({ code: 0, err: "" });
      expect(performance.now() - started).toBeLessThan(8000);
      go();
      expect(await run).toMatchObject({ code: 0, err: "" });
      expect(states()).toBe(after);
    });

    it.each<[readonly string[], string]>([
      [["stop", "it"], "it exited"],
      [["restart", "it"], "it running"],
      [["start", "it"], "it running"],
      [["rm", "-f", "it"], ""],
      [["kill", "it"], "it exited"],
      [["exec", "it", "true"], "it running"],
    ])("%j waits for the end of the start", async (words, after) => {
      const run = launch(before(step), "it", SLEEPER);
      await arrived();
      const other = world.tareAsync(words);
      const isEarly = await Promise.race([other.then(() => true), sleep(500, false)]);
      go();
      expect(await run).toMatchObject({ code: 0, err: "" });
      expect(await other).toMatchObject({ code: 0, err: "" });
      expect(isEarly).toBe(false);
      while (words[0] === "kill" && /running/.test(states())) await sleep(20);
      expect(states()).toBe(after);
    });
  });

  it("`stop` gives the program its signal, not the runtime's waiting process", async () => {
    const run = launch(before("start"), "it", SLEEPER);
    await arrived();
    const stop = world.tareAsync(["stop", "it"]);
    await sleep(300);
    go();
    expect([(await run).code, (await stop).code]).toEqual([0, 0]);
    expect(world.ok("inspect", "--format", "{{.State.ExitCode}}", "it")).toBe("7");
  });

  it("`rm` without force says that it runs", async () => {
    const run = launch(before("start"), "it", SLEEPER);
    await arrived();
    const other = world.tareAsync(["rm", "it"]);
    await sleep(300);
    go();
    expect((await run).code).toBe(0);
    expect((await other).err).toMatch(/^error\[E_CONTAINER_STATE\].*: it is running$/m);
  });

  it.each([
    ["create", ["--rm"], ""],
    ["start", ["--rm"], ""],
    ["create", [], "it exited"],
    ["start", [], "it exited"],
  ] as const)("a starter that is killed before %s leaves it to the next command (%j)", async (step, flags, after) => {
    const words = ["run", "-d", "--runtime", before(step), "--name", "it", ...flags, ...SLEEPER];
    const starter = world.start(words);
    await arrived();
    await killed(starter);
    world.ok("create", "--name", "second", "busybox");
    world.ok("rm", "second");
    expect(states()).toBe(after);
    expect(fs.readdirSync(join(world.runRoot(), "runtime"))).toEqual([]);
  });

  it.each([
    ["before", ""],
    ["in", "exec.fifo"],
  ])("state that somebody else deletes %s the start is not a missing program", async (moment, name) => {
    const run = launch(moment === "in" ? between() : before("start"), "it", SLEEPER);
    await arrived();
    const runtimes = join(world.runRoot(), "runtime");
    const [id = ""] = fs.readdirSync(runtimes);
    fs.rmSync(join(runtimes, id, name), { recursive: true });
    go();
    const { code, err } = await run;
    expect([code, err]).toEqual([
      125,
      expect.stringMatching(/^error\[E_RUNTIME\]: .*: the runtime's state of it was deleted/),
    ]);
    expect(fs.readdirSync(runtimes)).toEqual([]);
  });

  it("a program that is killed before it has begun is called that", async () => {
    const run = launch(before("start"), "it", SLEEPER);
    await arrived();
    process.kill(Number(fs.readFileSync(join(world.root, "v1/containers", idOf("it"), "pid"), "utf8")), "SIGKILL");
    while (!/exited/.test(states())) await sleep(20);
    go();
    const { code, err } = await run;
    expect([code, err]).toEqual([125, expect.stringMatching(/^error\[E_RUNTIME\]: .*: it was killed meanwhile/)]);
  });
});

async function killed(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
}
