// SPDX-License-Identifier: Apache-2.0
/* `gpu ls` and the GPU columns of `stats` with a driver's folder and library that a test made: no GPU is touched. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fakeNvidiaRoot, fakeUuid } from "../support/fake-driver-root.ts";
import { compiler, putFakeNvml } from "../support/fake-nvml.ts";
import type { FakeNvml } from "../support/fake-nvml.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { whyNotHere } from "./container-world.ts";

const why = whyNotHere();
if (why !== undefined) console.log(`skipped: ${why}`);
const GIB = 2 ** 30;
const A100 = { name: "NVIDIA A100-SXM4-40GB", brand: 14, capability: "8.0" } as const;

describe.skipIf(why !== undefined || compiler() === undefined)("GPUs of a host", () => {
  let world: ProgramWorld;
  let driver: string;
  let pid: number;

  beforeAll(() => {
    world = openProgramWorld("gpu-ls");
    addBusyboxImage(world);
    world.ok("run", "-d", "--name", "trainer", "--network", "none", "busybox", "sleep", "600");
    pid = Number(world.ok("inspect", "-f", "{{.State.Pid}}", "trainer"));
    driver = join(world.folder, "driver");
    const divided = { bus: "0000:0f:00.0", minor: 0, mig: { 1: [0], 2: [0] } };
    fakeNvidiaRoot(driver, { gpus: [{ bus: "0000:07:00.0", minor: 1 }, divided], nodes: "files" });
  });
  afterAll(() => world.close());

  const said = (faults: FakeNvml["faults"] = {}): FakeNvml => {
    const part = (index: number): object => ({ uuid: `MIG-${index}`, name: `A MIG 3g.20gb`, gi: index, ci: 0 });
    const compute = [
      { pid, memory: 2 * GIB },
      { pid: process.pid, memory: GIB },
    ];
    const samples = [[pid, 1, 45]] as const;
    const whole = {
      bus: "00000000:07:00.0",
      minor: 1,
      memory: [40 * GIB, 3 * GIB],
      busy: 46,
      compute,
      samples,
    } as const;
    const divided = { bus: "00000000:0F:00.0", minor: 0, mig: [part(1), part(2)] as never };
    const gpus = [
      { ...A100, uuid: fakeUuid(0), ...whole },
      { ...A100, uuid: fakeUuid(1), ...divided, compute: [{ pid, memory: GIB, gi: 2, ci: 0 }] },
    ];
    return { driver: "535.104.05", cuda: 12020, gpus, faults };
  };
  const tare = (faults: FakeNvml["faults"], ...args: readonly string[]): ReturnType<ProgramWorld["tare"]> =>
    world.tare(args, { env: putFakeNvml(driver, said(faults)) });

  it("are listed with their parts and with who uses them", () => {
    const { out, err } = tare({}, "gpu", "ls");
    const mine = `${fs.readFileSync("/proc/self/comm", "utf8").trim()}(${process.pid})`;
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => line.trimEnd().split(/ {2,}/));
    const same = ["535.104.05", "12.2", "8.0"];
    expect(rows).toEqual([
      ["INDEX", "NAME", "MEMORY", "GPU %", "DRIVER", "CUDA", "ARCH", "USED BY"],
      ["0", A100.name, "3GiB / 40GiB", "46%", ...same, `trainer,${mine}`],
      ["1", A100.name, "--", "--", ...same],
      ["1:0", "MIG 3g.20gb", "--", "--", ...same],
      ["1:1", "MIG 3g.20gb", "--", "--", ...same, "trainer"],
    ]);
    expect(err).toBe("");
    expect(tare({}, "gpu", "ls", "-q").out).toBe(`${fakeUuid(0)}\nMIG-1\nMIG-2\n`);
    expect(tare({}, "gpu", "ls", "--format", "{{.Index}} {{.BusID}} {{.Brand}}").out.split("\n")[0]).toBe(
      "0 0000:07:00.0 nvidia",
    );
    const [first, second] = JSON.parse(tare({}, "gpu", "ls", "--json").out) as Record<string, unknown>[];
    expect(first).toMatchObject({ uuid: fakeUuid(0), minor: 1, brand: "nvidia", memoryUsed: 3 * GIB, parts: [] });
    const user = { pid, command: "sleep", container: { name: "trainer" }, memory: 2 * GIB, percent: 45 };
    expect(first?.["users"]).toMatchObject([user, { pid: process.pid }]);
    expect(second).toMatchObject({
      users: [],
      parts: [{ users: [] }, { uuid: "MIG-2", users: [{ pid, memory: GIB }] }],
    });
  });

  it("are columns of `stats`, of containers that use none too", () => {
    world.ok("run", "-d", "--name", "idler", "--network", "none", "busybox", "sleep", "600");
    const { out } = tare({}, "stats", "--no-stream", "--format", "table {{.Name}}\t{{.GPUPerc}}\t{{.GPUMem}}");
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ["NAME", "GPU %", "GPU MEM"],
      ["idler", "--", "0B"],
      ["trainer", "45.00%", "3GiB"],
    ]);
    const plain = world.tare(["stats", "--no-stream"], { env: { NVIDIA_DRIVER_ROOT: join(world.folder, "none") } });
    expect(plain.out.split("\n")[0]).not.toContain("GPU");
  });

  it("are listed by what files tell when the library crashes, and `stats` does not wait for one that hangs", () => {
    const { code, out, err } = tare({ "nvmlDeviceGetCount_v2.0": "crash" }, "gpu", "ls");
    expect(out.split("\n")[1]).toMatch(/^0 +NVIDIA A100-SXM4-40GB +-- +-- +535\.104\.05 +-- +8\.0/);
    expect(err).toMatch(/libnvidia-ml\.so\.\S+`: it ended the process that asked \(SIGSEGV\)/);
    expect(code).toBe(0);
    const before = Date.now();
    const { out: stats } = tare({ "nvmlDeviceGetCount_v2.0": "hang" }, "stats", "--no-stream");
    expect(Date.now() - before).toBeLessThan(10_000);
    expect(stats.split("\n")[0]).not.toContain("GPU");
    expect(workers(driver)).toEqual([]);
  });

  it("are none: the listing is empty, and what was looked for is said", () => {
    const empty = join(world.folder, "empty");
    fs.mkdirSync(join(empty, "proc"), { recursive: true });
    fs.writeFileSync(join(empty, "proc/devices"), "");
    const env = { NVIDIA_DRIVER_ROOT: empty };
    expect(world.tare(["gpu", "ls"], { env })).toEqual({
      code: 0,
      out: "INDEX     NAME      MEMORY    GPU %     DRIVER    CUDA      ARCH      USED BY\n",
      err: expect.stringMatching(/^no GPU found: neither .* NVIDIA_DRIVER_ROOT\n$/),
    });
    expect(world.tare(["gpu", "ls", "--json"], { env }).out).toBe("[]\n");
  });
});

/** Processes that were started to ask the library below a folder. */
function workers(folder: string): readonly string[] {
  const lines = fs.readdirSync("/proc").flatMap((pid) => {
    try {
      return /^\d+$/.test(pid) ? [fs.readFileSync(`/proc/${pid}/cmdline`, "utf8")] : [];
    } catch {
      return [];
    }
  });
  return lines.filter((line) => line.includes("nvml.worker") && line.includes(folder));
}
