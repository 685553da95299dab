// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { compileFakeNvml, compiler, writeAnswers } from "../../../test/support/fake-nvml.ts";
import type { FakeNvml, Generation } from "../../../test/support/fake-nvml.ts";
import { NvmlClient } from "./client.ts";
import type { NvmlDevice, NvmlReport } from "./types.ts";

const GIB = 2 ** 30;
const A100 = {
  name: "NVIDIA A100-SXM4-40GB",
  uuid: "GPU-11111111-2222-3333-4444-555555555555",
  bus: "00000000:07:00.0",
  minor: 2,
  brand: 14,
  capability: "8.0",
  memory: [40 * GIB, 3 * GIB],
  busy: 37,
  temperature: 41,
} as const;
const ONE: FakeNvml = { driver: "535.104.05", cuda: 12020, gpus: [A100] };
const ONE_READ = {
  index: 0,
  name: A100.name,
  uuid: A100.uuid,
  busId: "0000:07:00.0",
  minor: 2,
  brand: "nvidia",
  architecture: "8.0",
  memoryTotal: 40 * GIB,
  memoryUsed: 3 * GIB,
  utilisation: 37,
  temperature: 41,
  mig: [],
  processes: [],
  problems: [],
};

describe.skipIf(compiler() === undefined)("NVML, asked through a library that answers what it is told", () => {
  const folder = fs.mkdtempSync(join(tmpdir(), "tare-nvml-"));
  const libraries = new Map<Generation, string>();
  const clients: NvmlClient[] = [];
  const answers = join(folder, "answers");

  beforeAll(() => {
    for (const generation of [1, 2, 3, 535] as const) {
      libraries.set(generation, compileFakeNvml(join(folder, `${generation}/libnvidia-ml.so.1`), generation));
    }
    process.env["FAKE_NVML"] = answers;
  });
  afterEach(() => clients.splice(0).forEach((client) => client.close()));
  afterAll(() => {
    delete process.env["FAKE_NVML"];
    fs.rmSync(folder, { recursive: true });
  });

  const open = (said: FakeNvml, generation: Generation = 3): NvmlClient => {
    writeAnswers(answers, said);
    const client = new NvmlClient(libraries.get(generation) ?? "");
    clients.push(client);
    return client;
  };
  const read = async (said: FakeNvml, generation: Generation = 3): Promise<NvmlReport> =>
    await open(said, generation).ask("report");
  const device = async (said: FakeNvml, generation: Generation = 3): Promise<NvmlDevice | undefined> =>
    (await read(said, generation)).devices[0];

  it("tells everything of a GPU", async () => {
    expect(await read(ONE)).toEqual({ driver: "535.104.05", cuda: "12.2", devices: [ONE_READ] });
  });

  it("tells eight GPUs in NVML's order, and no minor stands for an index", async () => {
    const gpus = Array.from({ length: 8 }, (_, index) => ({
      ...A100,
      bus: `0000000${index % 2}:${(index * 16).toString(16).padStart(2, "0")}:00.0`,
      minor: 7 - index,
    }));
    const { devices } = await read({ ...ONE, gpus });
    expect(devices.map(({ index, minor }) => [index, minor])).toEqual(gpus.map((_, index) => [index, 7 - index]));
    expect(devices.map(({ busId }) => busId).slice(0, 2)).toEqual(["0000:00:00.0", "0001:10:00.0"]);
  });

  it("leaves out what a GPU does not have, without a complaint", async () => {
    const { memory: _m, busy: _b, temperature: _t, ...rest } = A100;
    const { memoryTotal: _1, memoryUsed: _2, utilisation: _3, temperature: _4, ...read } = ONE_READ;
    expect(await device({ ...ONE, gpus: [rest] })).toEqual(read);
  });

  it("names the MIG devices, whatever gaps are between them", async () => {
    const mig = [
      { uuid: "MIG-a", name: `${A100.name} MIG 1g.5gb`, gi: 7, ci: 0, memory: [5 * GIB, GIB] },
      undefined,
      { uuid: "MIG-b", name: `${A100.name} MIG 1c.3g.20gb`, gi: 2, ci: 1, memory: [20 * GIB, 0] },
      { uuid: "MIG-c", gi: 3, ci: 0, slices: [2, 2, 9856] },
      { uuid: "MIG-d", gi: 4, ci: 0, slices: [3, 1, 19968] },
    ] as const;
    const part = (index: number, uuid: string, gi: number, ci: number, profile: string): object => ({
      index,
      uuid,
      gi,
      ci,
      profile,
    });
    expect((await device({ ...ONE, gpus: [{ ...A100, mig }] }))?.mig).toEqual([
      { ...part(0, "MIG-a", 7, 0, "1g.5gb"), memoryTotal: 5 * GIB, memoryUsed: GIB },
      { ...part(1, "MIG-b", 2, 1, "1c.3g.20gb"), memoryTotal: 20 * GIB, memoryUsed: 0 },
      { ...part(2, "MIG-c", 3, 0, "2g.10gb"), memoryTotal: 9856 * 2 ** 20 },
      { ...part(3, "MIG-d", 4, 0, "1c.3g.20gb"), memoryTotal: 19968 * 2 ** 20 },
    ]);
  });

  const PROCESSES = {
    ...A100,
    compute: [
      { pid: 4242, memory: 2 * GIB, gi: 1, ci: 0 },
      { pid: 4343, memory: -1 },
    ],
    graphics: [
      { pid: 99, memory: 1 << 20 },
      { pid: 4343, memory: -1 },
    ],
  };
  it.each([
    [1, { pid: 4242, memory: 2 * GIB }],
    [2, { pid: 4242, memory: 2 * GIB, gi: 1, ci: 0 }],
    [3, { pid: 4242, memory: 2 * GIB, gi: 1, ci: 0 }],
    [535, { pid: 4242, memory: 2 * GIB, gi: 1, ci: 0 }],
  ] as const)("lists each process once with the functions of generation %s", async (generation, first) => {
    const found = await device({ ...ONE, gpus: [PROCESSES] }, generation);
    expect(found?.processes).toEqual([first, { pid: 4343 }, { pid: 99, memory: 1 << 20 }]);
    // Older functions count what the driver keeps for itself as used.
    expect(found?.memoryUsed).toBe(generation < 3 ? 3 * GIB + 256 * 2 ** 20 : 3 * GIB);
    expect(found).toMatchObject({ name: A100.name, busId: "0000:07:00.0", problems: [] });
  });

  it("asks the parts of a divided GPU where only the administrator may ask it as a whole, else says what is refused", async () => {
    const mig = [{ uuid: "MIG-a", gi: 1, ci: 0, compute: [{ pid: 7, memory: GIB, gi: 1, ci: 0 }] }];
    const faults = { "nvmlDeviceGetComputeRunningProcesses_v3.0": 4 };
    const divided = await device({ ...ONE, gpus: [{ ...A100, mig }], faults: { "whole.0": 4 } });
    expect(divided).toMatchObject({ processes: [{ pid: 7, memory: GIB, gi: 1, ci: 0 }], problems: [] });
    const refused = ["nvmlDeviceGetComputeRunningProcesses: Insufficient Permissions"];
    expect(await device({ ...ONE, faults })).toMatchObject({ processes: [], problems: refused });
  });

  it("tells how busy each process is where the driver counts that, and of idle ones that they are", async () => {
    const samples = [
      [4242, 20, 80],
      [4242, 10, 5],
      [1, 20, 3],
    ] as const;
    const shares = async (each: typeof samples | "none"): Promise<unknown> =>
      (await device({ ...ONE, gpus: [{ ...PROCESSES, samples: each }] }))?.processes.map(({ percent }) => percent);
    expect(await shares(samples)).toEqual([80, 0, 0]);
    expect(await shares("none")).toEqual([0, 0, 0]);
  });

  it("goes on without a GPU that is lost", async () => {
    const said = { ...ONE, gpus: [A100, A100], faults: { "nvmlDeviceGetHandleByIndex_v2.0": 15 } };
    const lost = { index: 0, mig: [], processes: [], problems: ["nvmlDeviceGetHandleByIndex: GPU is lost"] };
    expect((await read(said)).devices).toEqual([lost, { ...ONE_READ, index: 1 }]);
  });

  it.each([
    ["no kernel module", { "nvmlInit_v2.0": 9 }, /nvmlInit: Driver Not Loaded$/, /modprobe nvidia/, { code: 9 }],
    [
      "an updated driver",
      { "nvmlInit_v2.0": 18 },
      /nvmlInit: Driver\/library version mismatch$/,
      /reboot/,
      { code: 18 },
    ],
    ["a crash", { "nvmlDeviceGetUUID.0": "crash" }, /it ended the process that asked \(SIGSEGV\)$/, /anew/, {}],
  ] as const)("says in NVML's words why there is no answer: %s", async (_name, faults, message, hint, details) => {
    const error = { code: "E_NVML", message: expect.stringMatching(message), hint: expect.stringMatching(hint) };
    await expect(read({ ...ONE, faults })).rejects.toMatchObject({ ...error, details });
  });

  it("waits for a call that hangs no longer than it may, leaves no process, and asks anew", async () => {
    const client = open({ ...ONE, faults: { "nvmlDeviceGetMemoryInfo_v2.0": "hang" } });
    const children = (): string => fs.readFileSync(`/proc/self/task/${process.pid}/children`, "utf8");
    const before = children();
    const message = expect.stringMatching(/no answer for 1 seconds$/);
    await expect(client.ask("report", { limit: 1000 })).rejects.toMatchObject({ code: "E_NVML", message });
    await expect.poll(children).toBe(before);
    writeAnswers(answers, ONE);
    expect((await client.ask("report")).devices).toHaveLength(1);
  });

  it("tells why a library can't be loaded", async () => {
    const path = join(folder, "no-library");
    fs.writeFileSync(path, "text");
    for (const [library, why] of [
      [path, /loading it: .*(invalid ELF header|file too short)/],
      [join(folder, "missing"), /loading it: .*No such file/],
    ] as const) {
      const error = { code: "E_NVML", message: expect.stringMatching(why) };
      await expect(new NvmlClient(library).ask("report")).rejects.toMatchObject(error);
    }
  });

  it("answers one question after another, each anew", async () => {
    const client = open({ ...ONE, gpus: [PROCESSES] });
    expect((await client.ask("use")).devices).toMatchObject([{ index: 0, processes: [{ pid: 4242 }, {}, {}] }]);
    writeAnswers(answers, ONE);
    const { devices } = await client.ask("use");
    expect(devices).toEqual([{ index: 0, mig: [], processes: [], problems: [] }]);
  });

  it("ends when it is interrupted", async () => {
    const client = open({ ...ONE, faults: { "nvmlInit_v2.0": "hang" } });
    await expect(client.ask("report", { signal: AbortSignal.timeout(300) })).rejects.toMatchObject({
      code: "E_ABORTED",
    });
  });
});
