// SPDX-License-Identifier: Apache-2.0
/*
 * The end of the machine and its next start. A reboot is simulated: all processes of the store are killed, and what the
 * records know of processes is said to be of another boot.
 */
import { spawnSync } from "node:child_process";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import * as fs from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { Leftovers } from "../support/leftovers.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { rebootWorld } from "../support/reboot.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: the start of the machine: ${reason}`);

const MARKER = `tare-boot-${process.pid}`;

describe.skipIf(reason !== undefined)("the start of the machine", () => {
  let world: ProgramWorld;
  let leftovers: Leftovers;
  beforeAll(() => {
    world = openProgramWorld("boot");
    addBusyboxImage(world, `CMD ["sleep", "1000"]`);
    leftovers = new Leftovers(world, MARKER);
  });
  afterAll(() => world.close());

  const run = (name: string, ...flags: string[]): string =>
    world.ok(
      "run",
      "-d",
      "--stop-signal",
      "KILL",
      "--name",
      name,
      "-e",
      `MARKER=${MARKER}`,
      "--network",
      "none",
      ...flags,
      "busybox",
    );
  const states = (): readonly string[] => world.ok("ps", "-a", "--format", "{{.Names}} {{.State}}").split("\n").sort();

  it("starts what its policy says, once per boot; --stop is undone by the next start", () => {
    run("plain");
    run("always", "--restart", "always");
    run("stopped-always", "--restart", "always");
    run("unless", "--restart", "unless-stopped");
    run("stopped-unless", "--restart", "unless-stopped");
    run("failed", "--restart", "on-failure");
    world.ok("create", "--name", "made", "--restart", "always", "busybox");
    world.ok("stop", "-t", "0", "stopped-always", "stopped-unless");
    rebootWorld(world);
    // A command that comes before the service's must not keep anything from being started.
    world.ok("system", "prune", "-f", "--filter", "label=none");
    const down = ["always exited", "failed exited", "made created", "plain exited", "stopped-always exited"];
    expect(states()).toEqual([...down, "stopped-unless exited", "unless exited"]);
    expect(world.ok("system", "boot").split("\n").sort()).toEqual(["always", "failed", "stopped-always", "unless"]);
    const up = ["always running", "failed running", "made created", "plain exited", "stopped-always running"];
    expect(states()).toEqual([...up, "stopped-unless exited", "unless running"]);
    world.ok("stop", "-t", "0", "always");
    expect(world.ok("system", "boot")).toBe("");
    expect(world.ok("system", "boot", "--stop").split("\n").sort()).toEqual(["failed", "stopped-always", "unless"]);
    expect(world.ok("ps", "-q")).toBe("");
    expect(world.ok("system", "boot").split("\n").sort()).toEqual(["failed", "stopped-always", "unless"]);
  });

  it("keeps the others when one cannot be started", () => {
    world.ok("rm", "-f", ...world.ok("ps", "-aq").split("\n"));
    const source = world.files("source", { file: "" });
    run("broken", "--restart", "always", "--mount", `type=bind,source=${source},target=/data`);
    run("sound", "--restart", "always");
    rebootWorld(world);
    fs.rmSync(source, { recursive: true });
    const { code, out, err } = world.tare(["system", "boot"]);
    expect({ code, out, err }).toMatchObject({
      code: 1,
      out: "sound\n",
      err: expect.stringMatching(/^broken: /) as string,
    });
  });

  it("leaves nothing after a prune", async () => {
    world.ok("rm", "-f", ...world.ok("ps", "-aq").split("\n"));
    world.ok("system", "prune", "-f");
    expect(await leftovers.after()).toEqual([]);
  });

  it("is spoken of once, with the first policy that needs it", () => {
    const another = world.another("hints");
    spawnSync("cp", ["-a", `${world.root}/.`, another.TARE_ROOT]);
    const db = new DatabaseSync(join(another.TARE_ROOT, "v1/state.db"));
    db.exec("DELETE FROM documents WHERE kind = 'told'");
    db.close();
    const create = (policy: string): string =>
      world.tare(["create", "--restart", policy, "busybox"], { env: another }).err;
    expect(create("on-failure")).toBe("");
    expect(create("unless-stopped")).toMatch(/^hint: `tare system service install`/);
    expect(create("always")).toBe("");
  });

  it("needs systemd for its service", () => {
    if (fs.existsSync("/run/systemd/system")) return;
    expect(world.tare(["system", "service", "status"])).toMatchObject({ code: 1 });
    const { code, err } = world.tare(["system", "service", "install"]);
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/systemd does not run here\nhint: .*@reboot/) as string,
    });
  });
});
