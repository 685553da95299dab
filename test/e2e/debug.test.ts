// SPDX-License-Identifier: Apache-2.0
/* `tare debug` in a container of one static program, and `exec -it` at a terminal. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { addBusyboxImage, openProgramWorld, PROGRAM } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { inTerminal } from "../support/terminal.ts";
import type { TypingStep } from "../support/terminal.ts";
import { leftovers, whyNotHere } from "./container-world.ts";

const reason = whyNotHere();
if (reason !== undefined) console.warn(`skipped: ${reason}`);

describe.skipIf(reason !== undefined)("looking into containers", () => {
  let world: ProgramWorld;
  let id: string;
  beforeAll(() => {
    world = openProgramWorld("debug");
    addBusyboxImage(world, 'CMD ["sleep", "600"]');
    world.files("bare", {
      Dockerfile: 'FROM scratch\nCOPY busybox-only data /\nUSER 1234\nCMD ["/busybox-only", "sleep", "600"]\n',
      data: "of the image\n",
    });
    fs.copyFileSync("/bin/busybox", join(world.folder, "bare", "busybox-only"));
    fs.chmodSync(join(world.folder, "bare", "busybox-only"), 0o755);
    world.ok("build", "-q", "-t", "bare", "bare");
    id = world.ok("run", "-d", "--name", "bare", "--network", "none", "--hostname", "bare-host", "bare");
  });
  afterAll(() => world?.close());

  const debug = (line: string, ...words: readonly string[]): string => world.ok("debug", "-c", line, ...words);
  const changes = (): string => world.ok("diff", "bare");

  it("has the container's processes, files, network and host name, and tools that it lacks", () => {
    expect(world.tare(["exec", "bare", "sh"]).code).toBe(127);
    const before = changes();
    expect(
      debug("ps -o pid,user,args; hostname; cat /data; ip -o link | wc -l; id -u; pwd", "bare").split("\n"),
    ).toEqual([
      "PID   USER     COMMAND",
      expect.stringMatching(/^ +1 1234 +\/busybox-only sleep 600$/),
      expect.stringMatching(/ 0 +(sh -c|\{ps\})/),
      expect.stringMatching(/ 0 /),
      "bare-host",
      "of the image",
      "1",
      "0",
      "/",
    ]);
    expect(changes()).toBe(before);
  });

  it("may look at the container's processes, and no more than the container otherwise", () => {
    const capabilities = debug(
      "grep -E '^(CapEff|CapInh|Seccomp|NoNewPrivs):' /proc/self/status; ls -l /proc/1/exe",
      "bare",
    );
    expect(capabilities).toMatch(
      /CapInh:\t0{16}\nCapEff:\t0{11}804fb\nNoNewPrivs:\t1\nSeccomp:\t2\n.*-> \/busybox-only$/s,
    );
    expect(debug("grep CapEff /proc/self/status", "-u", "1234", "bare")).toBe("CapEff:\t0000000000000000");
    expect(world.tare(["debug", "-c", "echo x > /sys/kernel/debug/bin/busybox", "bare"]).code).not.toBe(0);
  });

  it("changes a running container when asked, and with an image's tools sees it at /target", () => {
    debug("echo new > /written", "bare");
    expect(changes()).toContain("A /written");
    expect(
      world.ok(
        "debug",
        "--image",
        "busybox",
        "bare",
        "sh",
        "-c",
        "cat /target/written; ps | grep -c '[b]usybox-only sleep'; touch /dropped",
      ),
    ).toBe("new\n1");
    expect(changes()).not.toContain("dropped");
  });

  it("shows stopped containers with their volumes, and images; what is written there is dropped", () => {
    const source = world.files("bound", { file: "of this machine\n" });
    world.ok("run", "--name", "ended", "-v", `${source}:/bound`, "busybox", "sh", "-c", "echo kept > /tmp/kept");
    const line = "cat /tmp/kept /bound/file; echo x > /tmp/dropped; echo x 2>/dev/null > /bound/file || echo refused";
    expect(debug(line, "ended")).toBe("kept\nof this machine\nrefused");
    expect(world.ok("diff", "ended")).not.toContain("dropped");
    expect(debug("cat /data; echo x > /data; which sh", "bare:latest")).toMatch(/^of the image\n\/.*\/bin\/sh$/);
    expect(world.ok("run", "--rm", "bare", "/busybox-only", "cat", "/data")).toBe("of the image");
  });

  it.each([
    ["nothing of that name", ["nobody"], 1, /E_CONTAINER_NOTFOUND/],
    ["a program that fails", ["-c", "exit 7", "bare"], 7, /^$/],
    ["a program that is not there", ["bare", "nothing"], 127, /E_EXEC_NOENT/],
    ["a user by name", ["-u", "root", "bare"], 125, /expected numbers/],
  ])("ends as it should: %s", (_name, words, code, says) => {
    expect(world.tare(["debug", ...words])).toMatchObject({ code, err: expect.stringMatching(says) });
  });

  it("leaves nothing that prune does not clear when it is killed, and prune leaves a live one alone", async () => {
    const child = world.start(["debug", "-c", "while :; do sleep 1; done", "bare"]);
    const running = (): boolean => debug("ps | grep -c '[w]hile :'; true", "bare") !== "0";
    await eventually(running).toBe(true);
    world.ok("system", "prune", "-f");
    expect(running()).toBe(true);
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    world.ok("system", "prune", "-f");
    expect(leftovers(`beside-${child.pid}-`, [])).toEqual([]);
    expect(world.ok("ps", "-q", "--no-trunc")).toContain(id);
    expect(fs.readdirSync(join(world.root, "v1", "tmp"))).toEqual([]);
  });

  const terminal = (args: readonly string[], ...steps: readonly TypingStep[]): Outcome =>
    inTerminal(world, ["env", "TERM=xterm", PROGRAM, ...args], steps);

  it("exec -it: size from the first moment, Ctrl-C through the terminal, exit code", () => {
    world.ok("run", "-d", "--name", "tools", "busybox");
    const program = "stty size; trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done";
    const { code, out } = terminal(["exec", "-it", "tools", "sh", "-c", program], ["ready", "\u0003"]);
    expect(out).toMatch(/^33 111\r\nready\r\n(\^C)?caught\r\n/);
    expect(code).toBe(9);
  });

  it("debug at a terminal: a shell with a prompt", () => {
    const { code, out } = terminal(["debug", "bare"], ["# ", "stty size; exit 4\n"]);
    expect(out).toContain("33 111");
    expect(code).toBe(4);
  });
});
