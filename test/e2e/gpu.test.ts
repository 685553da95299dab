// SPDX-License-Identifier: Apache-2.0
/*
 * `--gpus` with real containers and no GPU: a driver's root folder as its installer leaves it, with libraries that the
 * loader loads, and nodes that are other devices: nvidia0 is /dev/full, whose driver answers a write with ENOSPC; nvidia1
 * is the kernel's log, which no container may open that does not have it. What a real driver does behind its nodes is not
 * tested here.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fakeNvidiaRoot, fakeUuid } from "../support/fake-driver-root.ts";
import { addLoaderImage, whyNoLoaderImage } from "../support/loader-image.ts";
import { eventually } from "../support/eventually.ts";
import { missingProgram } from "../support/peer-program.ts";
import { PROGRAM, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";

const reason = whyNoLoaderImage();
if (reason !== undefined) console.log(`skipped: containers with GPUs: ${reason}`);

const IMAGE = "loader";
const LOADS = 'python3 -c \'import ctypes; print("cuInit", ctypes.CDLL("libcuda.so.1").cuInit(0))\'';
const NODES = "ls /dev | grep '^nvidia[0-9]'";

let world: ProgramWorld;
let driver = "";

const gpu = (...args: readonly string[]): Outcome => world.tare(args, { env: { NVIDIA_DRIVER_ROOT: driver } });
const given = (...args: readonly string[]): string => {
  const { code, out, err } = gpu(...args);
  if (code !== 0) throw new Error(`tare ${args.join(" ")}: exit code ${code}\n${err}`);
  return out.trim();
};
/** Files and folders that a container wrote into its own layer, mount points of every container aside. */
const changed = (name: string): string => given("diff", name);

describe.skipIf(reason !== undefined)("containers with GPUs", () => {
  beforeAll(() => {
    world = openProgramWorld("gpu");
    addLoaderImage(world);
    driver = join(world.folder, "driver");
    const gpus = ["0000:07:00.0", "0000:0f:00.0"].map((bus, minor) => ({ bus, minor }));
    fakeNvidiaRoot(driver, { gpus, nodes: "reachable" });
  });
  afterAll(() => world?.close());

  it("load the driver through the loader, run its programs, and reach the nodes that they have and no others", () => {
    const denied = 'python3 -c \'import os; os.mknod("/tmp/n", 0o20666, os.makedev(1, 11)); open("/tmp/n")\'';
    const script = `${LOADS}; nvidia-smi -L | head -1; ${NODES}; echo x > /dev/nvidia0; ${denied}; true`;
    const { code, out, err } = gpu(
      "run",
      "--rm",
      "--gpus",
      "device=0",
      "--cap-add",
      "MKNOD",
      IMAGE,
      "sh",
      "-c",
      script,
    );
    expect(code).toBe(0);
    expect(out.trim().split("\n")).toEqual([
      "cuInit 0",
      `GPU 0: NVIDIA A100-SXM4-40GB (UUID: ${fakeUuid(0)})`,
      "nvidia0",
    ]);
    expect(err).toMatch(/No space left on device/);
    expect(err).toMatch(/PermissionError: \[Errno 1\] Operation not permitted: '\/tmp\/n'/);
    expect(err).toMatch(/^--gpus: \/dev\/shm [\d.]+ [GM]iB \(--shm-size\)/m);
  });

  it.skipIf(missingProgram("crun") !== undefined)("are the same with the other runtime", () => {
    // crun refuses hosts with control groups of both versions; where there are, the second is hidden from it.
    const hide = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"';
    const run = [
      "run",
      "--rm",
      "--runtime",
      "crun",
      "--read-only",
      "--gpus",
      "device=1",
      "--shm-size",
      "1m",
      "--ulimit",
      "stack=-1",
    ];
    const words = [PROGRAM, ...run, IMAGE, "sh", "-c", `${LOADS}; nvidia-smi -L | head -1; ${NODES}`];
    const env = { ...world.env, NVIDIA_DRIVER_ROOT: driver };
    const place = ["--mount", "--propagation", "private", "sh", "-c", hide, "sh"];
    const child = spawnSync("unshare", [...place, ...words], { env, encoding: "utf8" });
    expect(child.stderr).toBe("");
    expect(child.stdout).toBe(`cuInit 0\nGPU 0: NVIDIA A100-SXM4-40GB (UUID: ${fakeUuid(0)})\nnvidia1\n`);
  });

  it("have the groups of nodes that not everybody may open, in further processes and as another user too", () => {
    const node = join(driver, "dev/nvidia0");
    fs.chmodSync(node, 0o660);
    fs.chownSync(node, 0, 4242);
    const write = "echo x > /dev/nvidia0";
    const reached = ({ err }: Outcome): void => expect(err).toMatch(/No space left on device/);
    reached(gpu("run", "--rm", "--user", "1000", "--gpus", "1", IMAGE, "sh", "-c", write));
    given("run", "-d", "--name", "closed", "--gpus", "1", IMAGE, "sleep", "300");
    reached(world.tare(["exec", "--user", "1001:1001", "closed", "sh", "-c", write]));
    reached(world.tare(["debug", "-c", write, "closed"]));
    world.ok("rm", "-f", "closed");
    reached(gpu("run", "--rm", "--privileged", "--gpus", "1", IMAGE, "sh", "-c", write));
    fs.chmodSync(node, 0o666);
  });

  it("see only their own GPUs, also in further processes, after a restart, as another user and on a read-only root", () => {
    given("run", "-d", "--name", "zero", "--gpus", "device=0", IMAGE, "sleep", "300");
    const second = ["--gpus", `device=${fakeUuid(1).slice(0, 12)}`, "--read-only", "--user", "1000"];
    given("run", "-d", "--name", "one", ...second, IMAGE, "sleep", "300");
    for (const [name, node] of [
      ["zero", "nvidia0"],
      ["one", "nvidia1"],
    ] as const) {
      expect(given("exec", name, "sh", "-c", `${NODES}; ${LOADS}`).split("\n")).toEqual([node, "cuInit 0"]);
    }
    // The folder of the driver is the container's: no variable is needed to start it again.
    world.ok("restart", "-t", "0", "zero");
    expect(world.ok("exec", "zero", "sh", "-c", `${LOADS}; nvidia-smi`)).toMatch(/^cuInit 0\nNVIDIA-SMI 535/);
    const host = JSON.parse(given("inspect", "zero", "--format", "{{json .HostConfig}}")) as {
      readonly DeviceRequests: unknown;
      readonly ShmSize: number;
    };
    const request = { Driver: "", Count: 0, DeviceIDs: ["0"], Capabilities: [["gpu"]], Options: {} };
    expect(host.DeviceRequests).toEqual([request]);
    expect(host.ShmSize).toBeGreaterThan(64 << 20);
  });

  it("leave nothing in their layer nor in an image made of it", () => {
    given("exec", "zero", "sh", "-c", "echo kept > /root/kept");
    expect(changed("zero")).toBe("C /root\nA /root/kept");
    expect(changed("one")).not.toMatch(/nvidia|firmware/);
    const uppers = fs.globSync(join(world.root, "v1/containers/*/upper/**")).map(String);
    expect(uppers.filter((path) => /nvidia|libcuda|firmware/.test(path))).toEqual([]);
    world.ok("commit", "zero", "made");
    const seen = "cat /root/kept; find / -xdev -name '*nvidia*' -o -name 'libcuda*'";
    expect(world.ok("run", "--rm", "made", "sh", "-c", seen)).toBe("kept");
    world.ok("rm", "-f", "zero", "one");
  });

  it("have the rights that the configuration itself lists, so that nothing can take them away", () => {
    given("create", "--name", "listed", "--gpus", "all", IMAGE, "true");
    given("start", "listed");
    const [path = ""] = fs.globSync(join(world.root, "v1/containers/*/config.json"));
    const { linux } = JSON.parse(fs.readFileSync(path, "utf8")) as {
      readonly linux: {
        readonly devices: readonly { readonly path: string }[];
        readonly resources: { readonly devices: readonly { readonly major?: number; readonly minor?: number }[] };
      };
    };
    expect(linux.devices.map((node) => node.path)).toEqual(
      expect.arrayContaining(["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidia1"]),
    );
    expect(linux.resources.devices).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ major: 1, minor: 7 }),
        expect.objectContaining({ major: 1, minor: 11 }),
      ]),
    );
    world.ok("rm", "-f", "listed");
  });

  it("may ask by the variable of NVIDIA's runtime", () => {
    const see = ["sh", "-c", `${NODES}; ls /usr/local/nvidia 2>/dev/null; true`];
    const by = (...flags: readonly string[]): Outcome =>
      gpu("run", "--rm", "--shm-size", "64m", ...flags, IMAGE, ...see);
    expect(by("-e", "NVIDIA_VISIBLE_DEVICES=1").out).toBe("nvidia1\nbin\nlib64\n");
    expect(by("-e", "NVIDIA_VISIBLE_DEVICES=none").out).toBe("bin\nlib64\n");
    expect(by("-e", "NVIDIA_VISIBLE_DEVICES=void").out).toBe("");
    expect(by("--gpus", "1", "-e", "NVIDIA_VISIBLE_DEVICES=all").out).toBe("nvidia0\nbin\nlib64\n");
    expect(by("--gpus", "0").out).toBe("");
  });

  it("say what of a request nobody serves, and what the host's service for sharing GPUs needs", () => {
    const service = join(driver, "tmp/nvidia-mps");
    fs.mkdirSync(service, { recursive: true });
    const run = [
      "run",
      "--rm",
      "--shm-size",
      "1m",
      "--ulimit",
      "stack=-1",
      "--ulimit",
      "memlock=1024",
      "--gpus",
      "1,options=a=b",
    ];
    const { out, err } = gpu(...run, IMAGE, "ls", "-d", "/tmp/nvidia-mps");
    fs.rmSync(service, { recursive: true });
    expect(out).toBe("/tmp/nvidia-mps\n");
    expect(err.split("\n")).toEqual([
      "WARNING: options of `--gpus` are left out (a): no driver has any",
      expect.stringMatching(/^WARNING: NVIDIA's Multi-Process Service runs.*`--ipc host`/),
      "",
    ]);
  });

  it("get none by an image's own variable, and are told how", () => {
    const context = world.files("cuda", { Dockerfile: `FROM ${IMAGE}\nENV NVIDIA_VISIBLE_DEVICES=all\n` });
    world.ok("build", "-q", "-t", "cuda", context);
    const { out, err } = gpu("run", "--rm", "cuda", "sh", "-c", `${NODES}; true`);
    expect(out).toBe("");
    expect(err).toBe(
      "the image is for GPUs (NVIDIA_VISIBLE_DEVICES=all) and gets none: `--gpus all` gives it those of this host\n",
    );
    expect(gpu("run", "--rm", "-e", "NVIDIA_VISIBLE_DEVICES=void", "cuda", "true").err).toBe("");
  });

  it("are not made when there is no such GPU, and no image is pulled for that", () => {
    const without = join(world.folder, "without");
    for (const path of ["proc", "dev/dri"]) fs.mkdirSync(join(without, path), { recursive: true });
    fs.writeFileSync(join(without, "proc/devices"), "Character devices:\n  1 mem\n");
    const none = world.tare(["run", "--gpus", "all", "no/such/image"], { env: { NVIDIA_DRIVER_ROOT: without } });
    expect(none).toMatchObject({ code: 125, out: "" });
    expect(none.err).toMatch(
      /^error\[E_GPU_MISSING\]: giving GPUs to the container: this host has none \(looked for .*\n.*hint: .*nvidia-smi/s,
    );
    const third = gpu("run", "--rm", "--gpus", "device=2", IMAGE, "true");
    expect(third.code).toBe(125);
    expect(third.err).toMatch(
      /^error\[E_GPU_UNKNOWN\]: .*`2`.*\nhint: to choose from: 0 \(NVIDIA A100.*; 1 \(NVIDIA A100/,
    );
    expect(world.ok("ps", "-aq")).toBe("");
  });

  it("are started again by their restart policy with their GPUs", async () => {
    const script = "echo $(ls /dev | grep '^nvidia[0-9]') >> /root/seen; [ $(wc -l < /root/seen) -ge 2 ]";
    given("run", "-d", "--name", "again", "--restart", "on-failure:3", "--gpus", "1", IMAGE, "sh", "-c", script);
    await eventually(() => world.ok("inspect", "again", "--format", "{{.State.Status}} {{.RestartCount}}")).toBe(
      "exited 1",
    );
    world.ok("cp", "again:/root/seen", join(world.folder, "seen"));
    expect(fs.readFileSync(join(world.folder, "seen"), "utf8")).toBe("nvidia0\nnvidia0\n");
    world.ok("rm", "-f", "again");
  });
});
