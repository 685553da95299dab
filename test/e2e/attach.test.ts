// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { PROGRAM, addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { inTerminal } from "../support/terminal.ts";
import type { TypingStep } from "../support/terminal.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: attaching: ${reason}`);

/** ctrl-p ctrl-q */
const LEAVE = "\u0010\u0011";
const PROMPT = "PROMPT ";
const SHELL = ["-e", `PS1=${PROMPT}`, "busybox", "sh", "-i"];

describe.skipIf(reason !== undefined)("attaching", () => {
  let world: ProgramWorld;
  beforeAll(() => {
    world = openProgramWorld("attach");
    addBusyboxImage(world);
  });
  afterAll(() => world.close());

  const terminal = (args: readonly string[], ...steps: readonly TypingStep[]): Outcome =>
    inTerminal(world, [PROGRAM, ...args], steps);

  it("run -it can be left and come back to, has a log, and gives its exit code to who is there at the end", () => {
    const left = terminal(
      ["run", "-it", "--name", "shell", ...SHELL],
      [PROMPT, "stty size; A=kept\n"],
      ["33 111", ""],
      [PROMPT, LEAVE],
    );
    expect(left).toMatchObject({ code: 0, out: expect.stringContaining("33 111\r\n") });
    expect(world.ok("inspect", "-f", "{{.State.Running}}", "shell")).toBe("true");
    const watched = terminal(
      ["attach", "--detach-keys", "ctrl-a,d", "shell"],
      [PROMPT, "echo $A\n"],
      ["kept", "\u0001d"],
    );
    expect(watched).toMatchObject({ code: 1, out: expect.stringContaining("read escape sequence") });
    const ended = terminal(["attach", "shell"], [PROMPT, "echo la''st; exit 7\n"]);
    expect(ended).toMatchObject({ code: 7, out: expect.stringContaining("last\r\n") });
    expect(world.ok("wait", "shell")).toBe("7");
    expect(world.tare(["logs", "shell"]).out).toMatch(/33 111\r\n[^]*kept\r\n[^]*last\r\n/);
    const again = terminal(["start", "-ai", "shell"], [PROMPT, "exit 4\n"]);
    expect(again.code).toBe(4);
    expect(world.tare(["attach", "shell"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("E_CONTAINER_STATE"),
    });
    const actions = world.ok("events", "--since", "0", "--until", "0s", "--format", "{{.Action}}").split("\n");
    expect(actions.filter((action) => /^(?:attach|detach)$/.test(action))).toEqual(
      "attach detach attach detach attach attach".split(" "),
    );
  });

  it("run -it --rm leaves nothing, whether its end is watched or not", () => {
    expect(terminal(["run", "-it", "--rm", "--name", "gone", ...SHELL], [PROMPT, "exit 9\n"]).code).toBe(9);
    expect(world.ok("ps", "-aq", "--filter", "name=gone")).toBe("");
    expect(terminal(["run", "-it", "--rm", "busybox", "sh", "-c", "seq 1 20000; exit 3"])).toMatchObject({
      code: 3,
      out: expect.stringMatching(/\n19999\r\n20000\r\n$/),
    });
    expect(terminal(["run", "-it", "--rm", "--entrypoint", "nosuch", "busybox"]).code).toBe(127);
    expect(terminal(["run", "-it", "--rm", "--name", "left", ...SHELL], [PROMPT, LEAVE]).code).toBe(0);
    world.ok("kill", "left");
    expect(world.tare(["wait", "left"]).code).toBeLessThan(2);
    expect(world.ok("ps", "-aq", "--filter", "status=exited", "--filter", "name=left")).toBe("");
  });

  it("a container without a terminal gets input and signals, and stays when one goes", async () => {
    world.ok(
      "run",
      "-d",
      "-i",
      "--name",
      "plain",
      "busybox",
      "sh",
      "-c",
      "trap 'echo got; exit 6' TERM; while read x; do echo [$x]; done",
    );
    const first = spawn(PROGRAM, ["attach", "plain"], { env: world.env });
    first.stdin.write("one\n");
    await once(first.stdout, "data");
    first.kill("SIGKILL");
    await once(first, "exit");
    const second = spawn(PROGRAM, ["attach", "plain"], { env: world.env });
    let output = "";
    second.stdout.on("data", (data: Buffer) => (output += data.toString()));
    second.stdin.write("two\n");
    await once(second.stdout, "data");
    second.kill("SIGTERM");
    second.stdin.write("three\n");
    const [code] = await once(second, "exit");
    expect({ code, output }).toEqual({ code: 6, output: expect.stringMatching(/^\[two\]\n(?:\[three\]\n)?got\n$/) });
    expect(world.ok("logs", "plain")).toMatch(/^\[one\]\n\[two\]\n/);
  });

  it("a container goes on when its output's reader leaves", () => {
    world.ok("run", "-d", "--name", "busy", "busybox", "sh", "-c", "while :; do echo x; sleep 0.05; done");
    const { stdout } = spawnSync("sh", ["-c", `${PROGRAM} attach busy | head -n 2`], {
      env: world.env,
      encoding: "utf8",
    });
    expect(stdout).toBe("x\nx\n");
    expect(world.ok("inspect", "-f", "{{.State.Running}}", "busy")).toBe("true");
    world.ok("rm", "-f", "busy");
  });

  it("run -a chooses the streams, and -t alone has a log", () => {
    const both = "echo out; echo err >&2; exit 3";
    expect(world.tare(["run", "--rm", "-a", "stderr", "busybox", "sh", "-c", both])).toEqual({
      code: 3,
      out: "",
      err: "err\n",
    });
    expect(world.tare(["run", "-a", "stdout", "-d", "busybox"])).toMatchObject({ code: 125 });
    world.ok("run", "-t", "--name", "tty", "busybox", "sh", "-c", "echo shown");
    expect(world.tare(["logs", "tty"]).out).toBe("shown\r\n");
    world.ok("run", "-dt", "--name", "detached", "busybox", "sh", "-c", "tty; echo shown");
    world.ok("wait", "detached");
    expect(world.tare(["logs", "detached"]).out).toMatch(/^\/dev\/(?:pts\/0|console)\r\nshown\r\n$/);
  });
});
