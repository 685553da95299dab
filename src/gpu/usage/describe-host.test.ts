// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakeAmdRoot, fakeIntelRoot, fakeNvidiaRoot, fakeWslRoot } from "../../../test/support/fake-driver-root.ts";
import type { FakeDriver } from "../../../test/support/fake-driver-root.ts";
import { compileFakeNvml, compiler, putFakeNvml, writeAnswers } from "../../../test/support/fake-nvml.ts";
import type { FakeNvml } from "../../../test/support/fake-nvml.ts";
import { describeHost, gpuStates } from "./describe-host.ts";
import { openGpuSampler } from "./sampler.ts";

const GIB = 2 ** 30;
const V100 = { name: "Tesla V100-SXM2-16GB", brand: 2, capability: "7.0", memory: [16 * GIB, GIB] } as const;

let root: string;
beforeEach(() => (root = fs.mkdtempSync(join(tmpdir(), "tare-gpus-"))));
afterEach(() => {
  delete process.env["FAKE_NVML"];
  fs.rmSync(root, { recursive: true });
});

function put(path: string, content: string): void {
  fs.mkdirSync(join(root, path, ".."), { recursive: true });
  fs.writeFileSync(join(root, path), content);
}

/** An open file of a process, as /proc shows it. */
function openFile(pid: number, number: number, text: string): void {
  fs.mkdirSync(join(root, `proc/${pid}/fd`), { recursive: true });
  fs.rmSync(join(root, `proc/${pid}/fd/${number}`), { force: true });
  fs.symlinkSync("/dev/dri/renderD128", join(root, `proc/${pid}/fd/${number}`));
  put(`proc/${pid}/fdinfo/${number}`, text);
}

describe.skipIf(compiler() === undefined)("an NVIDIA host whose library answers", () => {
  const host = (driver: FakeDriver, said: FakeNvml): void => {
    fakeNvidiaRoot(root, { ...driver, nodes: "files" });
    process.env["FAKE_NVML"] = putFakeNvml(root, said).FAKE_NVML;
  };

  it("adds what files do not tell to the right one of eight cards, whose minors run the other way", async () => {
    const numbers = [0, 1, 2, 3, 4, 5, 6, 7];
    const bus = (index: number): string => `0000:${(index * 16 + 7).toString(16).padStart(2, "0")}:00.0`;
    const card = (index: number): object => ({
      ...V100,
      bus: `0000${bus(index)}`,
      minor: 7 - index,
      uuid: `GPU-${index}`,
    });
    host(
      { gpus: numbers.map((index) => ({ bus: bus(index), minor: 7 - index, uuid: null })) },
      { driver: "535.104.05", cuda: 12020, gpus: numbers.map(card) },
    );
    const { drivers, gpus } = await describeHost({ driverRoot: root });
    expect(drivers).toMatchObject([{ vendor: "nvidia", kind: "native", version: "535.104.05", cuda: "12.2" }]);
    const known = { name: V100.name, brand: "tesla", architecture: "7.0", memoryBytes: 16 * GIB };
    expect(gpus).toMatchObject(
      numbers.map((index) => ({ ...known, index, busId: bus(index), minor: 7 - index, uuid: `GPU-${index}` })),
    );
  });

  it("gives MIG parts their uuids by instance, and processes to the part that they run in", async () => {
    const mig = [
      { uuid: "MIG-three", name: "A MIG 3g.20gb", gi: 2, ci: 0, memory: [20 * GIB, 5 * GIB] },
      { uuid: "MIG-one", name: "A MIG 1g.5gb", gi: 9, ci: 0, memory: [5 * GIB, 0] },
    ] as const;
    const compute = [{ pid: 4242, memory: GIB, gi: 9, ci: 0 }];
    host(
      { gpus: [{ bus: "0000:07:00.0", minor: 3, mig: { 2: [0], 9: [0] } }] },
      { driver: "535.104.05", gpus: [{ ...V100, bus: "00000000:07:00.0", minor: 3, mig: mig.toReversed(), compute }] },
    );
    const { gpus, remarks } = await gpuStates({ driverRoot: root });
    expect(remarks).toEqual([]);
    expect(gpus[0]?.gpu.mig).toMatchObject([
      { index: 0, gi: 2, ci: 0, uuid: "MIG-three", profile: "3g.20gb", nodes: [{}, {}].map(() => expect.any(String)) },
      { index: 1, gi: 9, ci: 0, uuid: "MIG-one", profile: "1g.5gb", memoryBytes: 5 * GIB },
    ]);
    expect(gpus[0]).toMatchObject({ partMemoryUsed: { 0: 5 * GIB, 1: 0 }, processes: [{ pid: 4242, part: 1 }] });
  });

  it("says what goes wrong with one card and tells the rest", async () => {
    host(
      { gpus: ["07", "0f", "47"].map((bus, minor) => ({ bus: `0000:${bus}:00.0`, minor })) },
      {
        gpus: ["07", "0F"].map((bus, minor) => ({ ...V100, bus: `00000000:${bus}:00.0`, minor })),
        faults: { "nvmlDeviceGetUUID.1": 15 },
      },
    );
    const { gpus, remarks } = await describeHost({ driverRoot: root });
    expect(gpus.map(({ brand }) => brand)).toEqual(["tesla", "tesla", undefined]);
    expect(remarks).toEqual([
      "GPU 1 (0000:0f:00.0): NVML answers nvmlDeviceGetUUID: GPU is lost",
      "GPU 2 (0000:47:00.0): NVIDIA's driver has it, but its library NVML does not list it",
    ]);
  });

  it("tells what files tell when there is no answer, with the reason", async () => {
    host({}, { gpus: [], faults: { "nvmlDeviceGetCount_v2.0": "hang" } });
    const { gpus, remarks } = await describeHost({ driverRoot: root }, { limit: 500 });
    // The chip's number tells the architecture, and nothing the memory.
    expect(gpus).toMatchObject([{ name: "NVIDIA A100-SXM4-40GB", busId: "0000:07:00.0", architecture: "8.0" }]);
    expect(gpus[0]).not.toHaveProperty("memoryBytes");
    expect(remarks).toEqual([
      expect.stringMatching(/not known: asking NVIDIA's driver by `.*`: no answer for 0.5 seconds/),
    ]);
  });

  it("asks the library of the loaded module's version, else one that says itself that it does not fit", async () => {
    host({}, { gpus: [{ ...V100, bus: "00000000:07:00.0" }] });
    const folder = join(root, "usr/lib/x86_64-linux-gnu");
    fs.writeFileSync(join(folder, "libnvidia-ml.so.550.54.14"), "of another installation");
    expect((await describeHost({ driverRoot: root })).gpus).toMatchObject([{ brand: "tesla" }]);
    for (const name of fs.readdirSync(folder)) if (name.endsWith(".535.104.05")) fs.rmSync(join(folder, name));
    compileFakeNvml(join(folder, "libnvidia-ml.so.550.54.14"));
    writeAnswers(join(root, "nvml-answers"), { gpus: [], faults: { "nvmlInit_v2.0": 18 } });
    const { remarks } = await describeHost({ driverRoot: root });
    expect(remarks).toEqual([
      expect.stringMatching(/550\.54\.14`: nvmlInit: Driver\/library version mismatch \(.*reboot/),
    ]);
  });

  it("lists the GPUs of Windows by the library alone, as one node stands for all", async () => {
    fakeWslRoot(root);
    compileFakeNvml(join(root, "usr/lib/wsl/lib/libnvidia-ml.so.1"));
    const gpus = ["A", "B"].map((name) => ({ name, uuid: `GPU-${name}`, capability: "8.9" }));
    process.env["FAKE_NVML"] = writeAnswers(join(root, "answers"), { driver: "566.14", cuda: 12070, gpus });
    const host = await describeHost({ driverRoot: root });
    expect(host.drivers).toMatchObject([{ kind: "wsl", version: "566.14", cuda: "12.7" }]);
    const [nodes, architecture] = [["/dev/dxg"], "8.9"];
    expect(host.gpus).toMatchObject([
      { index: 0, name: "A", uuid: "GPU-A", nodes, architecture },
      { index: 1, name: "B", uuid: "GPU-B", nodes, architecture },
    ]);
  });

  it("samples what processes use, and asks a driver that failed no more", async () => {
    const compute = [{ pid: 4242, memory: GIB }];
    const samples = [[4242, 1, 40]] as const;
    const card = { ...V100, bus: "00000000:07:00.0", minor: 0, compute, samples };
    host({}, { gpus: [card, { ...card, bus: "00000000:08:00.0" }] });
    const sampler = openGpuSampler({ driverRoot: root });
    expect(await sampler?.sample([])).toEqual(new Map([[4242, { memory: 2 * GIB, percent: 80 }]]));
    writeAnswers(join(root, "nvml-answers"), { gpus: [], faults: { "nvmlDeviceGetCount_v2.0": 9 } });
    expect(await sampler?.sample([])).toBeUndefined();
    writeAnswers(join(root, "nvml-answers"), { gpus: [card] });
    expect(await sampler?.sample([])).toBeUndefined();
    sampler?.close();
  });
});

describe("hosts of others", () => {
  it("has no sampler without a GPU", () => {
    put("proc/devices", "");
    expect(openGpuSampler({ driverRoot: root })).toBeUndefined();
  });

  it("says that the library is missing below a driver's root of its own", async () => {
    fakeNvidiaRoot(root, { nodes: "files", without: ["libraries"] });
    const { gpus, remarks } = await describeHost({ driverRoot: root });
    expect(gpus).toHaveLength(1);
    expect(remarks).toEqual([expect.stringMatching(/not known: there is no libnvidia-ml.so.1 below `/)]);
  });

  it("reads AMD's memory, use and heat, and processes by both of their ways as one", async () => {
    fakeAmdRoot(root, ["0000:03:00.0", "0000:83:00.0"]);
    put("sys/bus/pci/devices/0000:03:00.0/mem_info_vram_used", "4096\n");
    put("sys/bus/pci/devices/0000:03:00.0/gpu_busy_percent", "17\n");
    put("sys/bus/pci/devices/0000:03:00.0/hwmon/hwmon4/temp1_input", "51400\n");
    put("sys/class/kfd/kfd/proc/77/vram_5002", "3000000\n");
    put("sys/class/kfd/kfd/proc/77/vram_5001", "1048576\n");
    openFile(77, 9, "drm-pdev:\t0000:03:00.0\ndrm-client-id:\t4\ndrm-resident-vram:\t512 KiB\n");
    openFile(78, 9, "drm-pdev:\t0000:03:00.0\ndrm-client-id:\t5\ndrm-resident-vram:\t2 KiB\n");
    const { drivers, gpus, remarks } = await gpuStates({ driverRoot: root });
    expect({ drivers, remarks }).toMatchObject({ drivers: [{ vendor: "amd", version: "6.8.5" }], remarks: [] });
    const [first, second] = gpus;
    expect(first).toMatchObject({ memoryUsed: 4096, utilisation: 17, temperature: 51 });
    expect(first?.processes).toEqual([
      { pid: 77, memory: 1_048_576 },
      { pid: 78, memory: 2048 },
    ]);
    expect(second).toMatchObject({ gpu: { architecture: "gfx90a" }, processes: [{ pid: 77, memory: 3_000_000 }] });
    expect(second).not.toHaveProperty("memoryUsed");
    await expect(openGpuSampler({ driverRoot: root })?.sample([77])).resolves.toEqual(
      new Map([[77, { memory: 4_048_576 }]]),
    );
  });

  it("compares counts of engines with the last round, and shows nothing of Intel's that nobody uses", async () => {
    fakeIntelRoot(root);
    put("proc/devices", "");
    const sampler = openGpuSampler({ driverRoot: root });
    expect(await sampler?.sample([11])).toBeUndefined();
    const show = (ns: number, cycles: number, total: number): void => {
      const engines = `drm-engine-render:\t${ns} ns\ndrm-cycles-ccs:\t${cycles}\ndrm-total-cycles-ccs:\t${total}\n`;
      openFile(11, 4, `drm-pdev:\t0000:00:02.0\ndrm-client-id:\t1\ndrm-resident-local0:\t8 KiB\n${engines}`);
    };
    const percent = async (): Promise<number | undefined> => (await sampler?.sample([11]))?.get(11)?.percent;
    show(0, 0, 0);
    expect(await percent()).toBeUndefined();
    show(0, 60, 80);
    expect(await percent()).toBe(75);
    show(0, 60, 160);
    expect(await percent()).toBe(0);
  });
});
