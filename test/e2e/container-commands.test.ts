// SPDX-License-Identifier: Apache-2.0
/* stats, update, commit and cp with real containers. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { whyNotHere } from "./container-world.ts";

const reason = whyNotHere();
if (reason !== undefined) console.log(`skipped: stats, update, commit and cp: ${reason}`);

const MB = 1024 * 1024;

describe.skipIf(reason !== undefined)("containers", () => {
  let world: ProgramWorld;
  const sh = (name: string, script: string): string => world.ok("exec", name, "sh", "-c", script);
  const stats = (...words: string[]): readonly Record<string, unknown>[] =>
    JSON.parse(world.ok("stats", "--no-stream", "--json", ...words)) as readonly Record<string, unknown>[];

  beforeAll(() => {
    world = openProgramWorld("cmd");
    addBusyboxImage(world, 'ENV A=image\nCMD ["sleep", "600"]');
    world.files("bound", { file: "bound\n" });
    const mounts = ["-v", "data:/data", "-v", `${join(world.folder, "bound")}:/bound:ro`];
    world.ok("run", "-d", "--network", "none", "--name", "box", "-m", "64m", ...mounts, "busybox");
    world.ok("run", "-d", "--network", "none", "--name", "busy", "busybox", "sh", "-c", "while :; do :; done");
    world.ok("create", "--network", "none", "--name", "idle", ...mounts, "busybox");
  }, 60_000);
  afterAll(() => world?.close());

  it("stats shows what the kernel counts, and zeros of what does not run", () => {
    const [idle, busy, box] = stats("--all");
    expect(busy).toMatchObject({ name: "busy", running: true, pids: 1, received: 0, sent: 0 });
    expect(Number(busy?.["cpuPercent"])).toBeGreaterThan(1);
    expect(box).toMatchObject({ name: "box", memoryLimit: 64 * MB });
    expect(Number(box?.["memory"])).toBeGreaterThan(0);
    expect(idle).toMatchObject({ name: "idle", running: false, cpuPercent: 0, pids: 0 });
    world.ok("pause", "busy");
    expect(stats("busy")).toMatchObject([{ running: true, cpuPercent: 0, pids: 1 }]);
    world.ok("unpause", "busy");
    expect(world.ok("stats", "--no-stream")).toMatch(
      /^CONTAINER ID {3}NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\n/,
    );
  });

  it("stats goes on until it is interrupted", async () => {
    const child = world.start(["stats", "--format", "{{.Name}} {{.CPUPerc}}"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout?.on("data", (data: Buffer) => (text += data.toString()));
    while (text.split("busy ").length < 3 && child.exitCode === null) await sleep(50);
    child.kill("SIGINT");
    await new Promise((resolve) => child.once("close", resolve));
    expect(text).toMatch(/^busy [\d.]+%\nbox [\d.]+%\nbusy/);
  });

  it("cp of one large file ends when it is interrupted", async () => {
    const large = join(world.folder, "large");
    const descriptor = fs.openSync(large, "w");
    for (let piece = 0; piece < 500; piece += 1) fs.writeSync(descriptor, Buffer.alloc(MB, "x"));
    fs.closeSync(descriptor);
    const copy = join(world.folder, "copy");
    world.ok("create", "--name", "spare", "busybox");
    world.ok("cp", large, "spare:/large");
    const child = world.start(["cp", "spare:/large", copy], { stdio: "ignore" });
    while (!fs.existsSync(copy) && child.exitCode === null) await sleep(10);
    child.kill("SIGINT");
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(130);
    expect(fs.statSync(copy).size).toBeLessThan(500 * MB);
    world.ok("rm", "spare");
    for (const path of [large, copy]) fs.rmSync(path);
  });

  it("update changes a running container, its record and its next start", () => {
    const limit = (): unknown => stats("box")[0]?.["memoryLimit"];
    expect(world.ok("update", "-m", "80m", "--memory-swap", "90m", "--pids-limit", "50", "box")).toBe("box");
    expect(limit()).toBe(80 * MB);
    const shown = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}}";
    expect(world.ok("inspect", "-f", shown, "box")).toBe(`${80 * MB} ${90 * MB} 50`);
    world.ok("restart", "-t", "0", "box");
    expect(limit()).toBe(80 * MB);
    world.ok("update", "-m", "70m", "idle");
    expect(world.ok("inspect", "-f", "{{.HostConfig.Memory}}", "idle")).toBe(String(70 * MB));
    expect(world.tare(["update", "-m", "100m", "box"]).err).toMatch(/memoryswap limit/);
    expect(world.tare(["update", "box"]).err).toMatch(/one or more flags/);
  });

  it("restart keeps a container that removes itself at its end", async () => {
    const flags = ["--rm", "--network", "none"];
    world.ok("run", "-d", ...flags, "--name", "brief", "busybox", "sleep", "600");
    const child = world.start(["run", ...flags, "--name", "watched", "busybox", "sleep", "600"]);
    const pid = (name: string): string => world.tare(["inspect", "-f", "{{.State.Pid}}", name]).out.trim();
    await expect.poll(() => Number(pid("watched"))).toBeGreaterThan(0);
    for (const name of ["brief", "watched"]) {
      const before = pid(name);
      world.ok("restart", "-t", "0", name);
      expect(world.ok("inspect", "-f", "{{.State.Running}} {{.HostConfig.AutoRemove}}", name)).toBe("true true");
      expect(pid(name)).not.toBe(before);
    }
    await expect.poll(() => child.exitCode).toBe(137);
    world.ok("stop", "-t", "0", "brief", "watched");
    await expect.poll(() => world.ok("ps", "-aq", "-f", "name=brief", "-f", "name=watched")).toBe("");
  });

  it("limits of devices reach the kernel, or are left out with a warning", () => {
    const device = fs.readdirSync("/sys/block").find((name) => !/^(loop|ram|zram|dm|fd|sr)/.test(name));
    if (device === undefined) return;
    const flags = ["--device-read-bps", `/dev/${device}:1mb`, "--blkio-weight", "300", "--memory-swappiness", "5"];
    const { code, err } = world.tare(["create", "--network", "none", "--name", "limited", ...flags, "busybox"]);
    expect(code, err).toBe(0);
    const left = err.includes("BPS Block I/O read limit discarded")
      ? "[]"
      : `[{"Path":"/dev/${device}","Rate":1048576}]`;
    expect(world.ok("inspect", "-f", "{{json .HostConfig.BlkioDeviceReadBps}}", "limited")).toBe(left);
    if (left !== "[]" && fs.existsSync(`/dev/${device}`)) world.ok("start", "limited");
    world.ok("rm", "-f", "limited");
  });

  it("commit makes an image of what the container has become", () => {
    sh(
      "box",
      "echo a > /opt/a; ln /opt/a /opt/b; rm -r /var/www /mnt; mkdir /mnt; echo new > /mnt/new; echo v > /data/v",
    );
    const commit = (...words: string[]): string => {
      const { code, out, err } = world.tare(["commit", ...words], { env: { SOURCE_DATE_EPOCH: "7" } });
      expect(code, err).toBe(0);
      return out.trim();
    };
    const id = commit("-a", "Ada", "-m", "tried", "-c", "ENV B=2", "-c", 'CMD ["cat", "/opt/b"]', "box", "made:1");
    expect(commit("-a", "Ada", "-m", "tried", "-c", "ENV B=2", "-c", 'CMD ["cat", "/opt/b"]', "box")).toBe(id);
    expect(world.ok("inspect", "-f", "{{.State.Paused}}", "box")).toBe("false");
    expect(world.ok("run", "--rm", "--network", "none", "made:1")).toBe("a");
    const look = 'stat -c %h /opt/a; ls /mnt /data; ls -d /var/www; echo "$A $B"';
    expect(world.tare(["run", "--rm", "--network", "none", "made:1", "sh", "-c", look]).out).toBe(
      "2\n/data:\n\n/mnt:\nnew\nimage 2\n",
    );
    const documents = JSON.parse(world.ok("inspect", "made:1")) as readonly Record<string, unknown>[];
    expect(documents[0]).toMatchObject({
      Author: "Ada",
      Comment: "tried",
      Config: { Env: ["PATH=/bin", "A=image", "B=2"] },
    });
    const archive = join(world.folder, "made.tar");
    world.ok("save", "-o", archive, "made:1");
    const loaded = world.tare(["load", "-i", archive], { env: world.another("other") });
    expect(loaded.code, loaded.err).toBe(0);
    expect(world.tare(["inspect", "-f", "{{.Id}}", "made:1"], { env: world.another("other") }).out.trim()).toBe(id);
    const layers = (name: string): number =>
      JSON.parse(world.ok("inspect", "-f", "{{json .RootFS.Layers}}", name)).length;
    expect(layers(commit("idle")) - layers("busybox")).toBe(0);
  });

  it("cp reaches volumes and mounts, of a container that runs or not", () => {
    const local = world.files("local", { "dir/a": "a\n", "dir/sub/b": "b\n" });
    const before = fs.readFileSync("/proc/self/mountinfo", "utf8");
    for (const name of ["box", "idle"]) {
      world.ok("cp", `${local}/dir`, `${name}:/data/${name}`);
      world.ok("cp", `${local}/dir/.`, `${name}:/opt`);
      world.ok("cp", `${name}:/data/box/sub/b`, join(local, `of-${name}`));
      expect(fs.readFileSync(join(local, `of-${name}`), "utf8")).toBe("b\n");
      world.ok("cp", `${name}:/bound`, join(local, `bound-${name}`));
      expect(fs.readFileSync(join(local, `bound-${name}/file`), "utf8")).toBe("bound\n");
      const refused = world.tare(["cp", `${local}/dir/a`, `${name}:/bound/x`]);
      expect(refused.err).toMatch(/read-only/);
      expect(world.tare(["cp", `${name}:/proc/version`, local]).code).toBe(1);
    }
    expect(sh("box", "ls /data /opt")).toBe("/data:\nbox\nidle\nv\n\n/opt:\na\nb\nsub");
    expect(fs.existsSync(join(world.folder, "bound/x"))).toBe(false);
    expect(fs.readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
    world.ok("start", "idle");
    expect(sh("idle", "ls /opt /data")).toBe("/data:\nbox\nidle\nv\n\n/opt:\na\nsub");
    world.ok("stop", "-t", "0", "idle");
  });

  it("cp gives and takes archives", () => {
    const tar = spawnSync("tar", ["-C", join(world.folder, "bound"), "-czf", "-", "."]).stdout;
    const given = world.tare(["cp", "-", "box:/srv"], { input: tar });
    expect(given.code, given.err).toBe(0);
    expect(sh("box", "cat /srv/file")).toBe("bound");
    const taken = world.tare(["cp", "box:/srv", "-"]);
    expect(spawnSync("tar", ["-tf", "-"], { input: taken.out }).stdout.toString()).toBe("srv/\nsrv/file\n");
    expect(world.tare(["cp", "-", "box:/srv/file"], { input: tar }).err).toMatch(/must be a directory/);
  });

  it("cp reads and writes nothing outside, while links change under it (CVE-2018-15664)", async () => {
    const secret = world.files("secret", { marker: "outside\n" });
    const { length } = fs.readdirSync(secret);
    const swap = `mkdir -p /w/real; echo inside > /w/real/marker; cd /w; mkdir x; echo inside > x/marker
      while :; do mv x y; ln -s ${secret} x; rm x; mv y x; done`;
    world.ok("exec", "-d", "box", "sh", "-c", swap);
    const seen = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const out = join(world.folder, `race-${round}`);
      const tries = [
        world.tareAsync(["cp", "box:/w", out]),
        world.tareAsync(["cp", "box:/w/x/marker", `${out}-file`]),
        world.tareAsync(["cp", join(world.folder, "bound/file"), "box:/w/x/planted"]),
      ];
      await Promise.all(tries);
      // A link that is copied as such is none of its target.
      const isLink = fs.lstatSync(`${out}/x`, { throwIfNoEntry: false })?.isSymbolicLink() === true;
      for (const path of [...(isLink ? [] : [`${out}/x/marker`]), `${out}-file`]) {
        if (fs.existsSync(path)) seen.add(fs.readFileSync(path, "utf8"));
      }
    }
    expect([...seen]).toEqual(["inside\n"]);
    expect(fs.readdirSync(secret)).toHaveLength(length);
  }, 60_000);

  it("a start waits for files that are on their way into the container; a killed copy leaves nothing", async () => {
    const head = spawnSync("tar", ["-C", join(world.folder, "bound"), "-cf", "-", "file"]).stdout;
    const id = world.ok("inspect", "-f", "{{.Id}}", "idle");
    const lock = join(world.root, "v1/containers", id, "copying");
    const begin = async (): Promise<ReturnType<ProgramWorld["start"]>> => {
      fs.rmSync(lock, { force: true });
      const child = world.start(["cp", "-", "idle:/srv"], { stdio: ["pipe", "ignore", "inherit"] });
      child.stdin?.write(head.subarray(0, 512));
      while (!fs.existsSync(lock) && child.exitCode === null) await sleep(20);
      return child;
    };
    const killed = await begin();
    killed.kill("SIGKILL");
    await new Promise((resolve) => killed.once("close", resolve));
    expect(fs.readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(world.root);
    const copying = await begin();
    const starting = world.tareAsync(["start", "idle"]);
    await sleep(400);
    expect(world.ok("ps", "-q", "--filter", "name=idle")).toBe("");
    copying.stdin?.end(head.subarray(512));
    expect((await starting).code).toBe(0);
    expect(sh("idle", "cat /srv/file")).toBe("bound");
  }, 60_000);
});
