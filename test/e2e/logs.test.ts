// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: logs: ${reason}`);

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /;

describe.skipIf(reason !== undefined)("logs", () => {
  let world: ProgramWorld;
  beforeAll(() => {
    world = openProgramWorld("logs");
    addBusyboxImage(world);
  });
  afterAll(() => world.close());

  const folderOf = (name: string): string => dirname(world.ok("inspect", "-f", "{{.LogPath}}", name));

  describe.each([
    ["in the foreground", []],
    ["detached", ["-d"]],
  ])("of a container %s", (how, flags) => {
    const run = (name: string, options: readonly string[], script: string): void => {
      world.ok("run", ...flags, "--name", name, ...options, "busybox", "sh", "-c", script);
      world.ok("wait", name);
    };
    const named = (name: string): string => `${name}-${flags.length}`;

    it("keep the streams apart, parts of lines together and bytes as they are", () => {
      const name = named("streams");
      run(name, [], "printf 'a\\nb'; sleep 0.1; echo 'c'; printf 'x\\0\\377\\n' >&2; printf end");
      expect(world.tare(["logs", name])).toEqual({ code: 0, out: "a\nbc\nend", err: "x\0\ufffd\n" });
      const stamped = world.tare(["logs", "-t", name]);
      expect(stamped.out.split("\n").map((line) => line.replace(STAMP, "T "))).toEqual(["T a", "T bc", "T end"]);
      expect(world.tare(["logs", "-n", "2", name]).out).toContain("end");
      expect(world.tare(["logs", "-n", "0", name])).toMatchObject({ out: "", err: "" });
    });

    it("lose nothing that fits, and are bounded", () => {
      const [all, few] = [named("all"), named("few")];
      run(all, ["--log-opt", "max-size=100k", "--log-opt", "max-file=100"], "seq 1 20000");
      expect(world.tare(["logs", all]).out).toBe(numbers(1, 20_000));
      expect(world.tare(["logs", "-n", "5000", all]).out).toBe(numbers(15_001, 20_000));
      run(few, ["--log-opt", "max-size=100k", "--log-opt", "max-file=3"], "seq 1 20000");
      const sizes = fs.readdirSync(folderOf(few)).map((file) => fs.statSync(join(folderOf(few), file)).size);
      expect(sizes).toHaveLength(3);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(100_000);
      const kept = world.tare(["logs", few]).out;
      expect(kept.endsWith(numbers(19_000, 20_000))).toBe(true);
      expect(kept.split("\n").length, `lines kept ${how}`).toBeGreaterThan((2 * 100_000) / 52);
    });

    it("go on at the next start", () => {
      const name = named("again");
      run(name, [], "echo once");
      world.ok("start", name);
      world.ok("wait", name);
      expect(world.tare(["logs", name]).out).toBe("once\nonce\n");
      expect(fs.readdirSync(folderOf(name)).length).toBeLessThan(3);
    });
  });

  it("choose by time", () => {
    world.ok(
      "run",
      "-d",
      "--name",
      "times",
      "busybox",
      "sh",
      "-c",
      "echo one; sleep 0.3; echo two; sleep 0.3; echo three",
    );
    world.ok("wait", "times");
    const [, two = ""] = world.tare(["logs", "-t", "times"]).out.split("\n");
    const at = two.split(" ")[0] ?? "";
    expect(world.tare(["logs", "--since", at, "times"]).out).toBe("two\nthree\n");
    expect(world.tare(["logs", "--until", at, "times"]).out).toBe("one\ntwo\n");
    expect(world.tare(["logs", "--since", "1h", "--until", "0s", "times"]).out).toBe("one\ntwo\nthree\n");
    const seconds = String(Date.parse(at) / 1000 + 0.1);
    expect(world.tare(["logs", "--since", seconds, "times"]).out).toBe("three\n");
    // The tail comes first, as with Docker.
    expect(world.tare(["logs", "--tail", "1", "--until", at, "times"]).out).toBe("");
  });

  it("are followed across new files until the container ends, and by who comes late", async () => {
    const limits = ["--log-opt", "max-size=10k", "--log-opt", "max-file=50"];
    const script = "for i in 1 2 3 4 5 6; do seq 1 200; sleep 0.2; done";
    world.ok("run", "-d", "--name", "busy", ...limits, "busybox", "sh", "-c", script);
    const early = world.tareAsync(["logs", "-f", "busy"]);
    const late = world.tareAsync(["logs", "-f", "--tail", "1", "busy"]);
    expect((await early).out).toBe(numbers(1, 200).repeat(6));
    expect((await late).out).toMatch(/^\d+\n(?:1\n[^]*)?200\n$/);
    expect(fs.readdirSync(folderOf("busy")).length).toBeGreaterThan(3);
  });

  it("say what --log-opt names with --details", () => {
    const options = "--log-opt labels=team,none --log-opt env-regex=^A --log-opt tag={{.Name}}/{{.ImageName}}".split(
      " ",
    );
    world.ok(
      "run",
      "--name",
      "details",
      "-e",
      "AB=1 2",
      "-e",
      "C=3",
      "--label",
      "team=v",
      ...options,
      "busybox",
      "sh",
      "-c",
      "echo x",
    );
    expect(world.tare(["logs", "--details", "details"]).out).toMatch(
      /^AB=1\+2,tag=details%2Fbusybox(?:%3Alatest)?,team=v x\n$/,
    );
  });

  it("have the drivers that there are, and say why not others", () => {
    const create = (...options: string[]): string => world.tare(["create", ...options, "busybox"]).err;
    expect(create("--log-driver", "syslog")).toMatch(
      /^error\[E_UNSUPPORTED\]: no log driver `syslog`.*\n.*json-file, local/,
    );
    expect(create("--log-driver", "nosuch")).toMatch(/no log driver named 'nosuch'/);
    expect(create("--log-opt", "max-sise=1m")).toMatch(/unknown log opt 'max-sise' for json-file log driver/);
    for (const flags of [[], ["-d"]]) {
      const name = `none-${flags.length}`;
      world.ok("run", ...flags, "--name", name, "--log-driver", "none", "busybox", "sh", "-c", "echo x");
      world.ok("wait", name);
      expect(world.tare(["logs", name])).toMatchObject({
        code: 1,
        out: "",
        err: expect.stringContaining("configured logging driver does not support reading"),
      });
    }
    expect(world.ok("inspect", "-f", "{{json .HostConfig.LogConfig}}{{.LogPath}}", "none-1")).toBe(
      '{"Type":"none","Config":{}}',
    );
    if (fs.existsSync("/run/systemd/journal/socket")) return;
    const journal = world.tare(["run", "-d", "--log-driver", "journald", "busybox", "sh", "-c", "true"]);
    expect(journal).toMatchObject({ code: 125, err: expect.stringContaining("systemd-journald does not run here") });
  });

  it("take their driver from the settings", () => {
    const place = { XDG_CONFIG_HOME: world.files("config", { "tare/settings.json": SETTINGS }) };
    expect(world.tare(["create", "--name", "set", "busybox"], { env: place }).code).toBe(0);
    expect(JSON.parse(world.ok("inspect", "-f", "{{json .HostConfig.LogConfig}}", "set"))).toEqual({
      Type: "local",
      Config: { "max-size": "1m", "max-file": "2" },
    });
    fs.writeFileSync(join(place.XDG_CONFIG_HOME, "tare/settings.json"), '{"log.drivers":"none"}');
    expect(world.tare(["create", "busybox"], { env: place }).err).toMatch(
      /E_SETTINGS.*settings\.json.*`log.drivers`\n.*did you mean `log.driver`/,
    );
  });
});

const SETTINGS = JSON.stringify({ log: { driver: "local", options: { "max-size": "1m", "max-file": 2 } } });

function numbers(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join("");
}
