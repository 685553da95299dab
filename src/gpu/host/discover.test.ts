// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  fakeAmdRoot,
  fakeIntelRoot,
  fakeNvidiaRoot,
  fakeUuid,
  fakeWslRoot,
} from "../../../test/support/fake-driver-root.ts";
import type { HostGpus } from "../types.ts";
import { discoverGpus } from "./discover.ts";
import { parseModuleVersion } from "./nvidia.ts";

let root = "";
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-host-"));
  put("/proc/devices", "Character devices:\n");
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const put = (path: string, text: string): void => {
  fs.mkdirSync(join(root, path, ".."), { recursive: true });
  fs.writeFileSync(join(root, path), text);
};
const discover = (): HostGpus => discoverGpus({ driverRoot: root, devRoot: root });
const files = { nodes: "files" } as const;

describe("NVIDIA", () => {
  it("numbers GPUs by their place on the bus and not by their device node", () => {
    const minors = [3, 2, 1, 0, 7, 6, 5, 4];
    const buses = ["07", "0f", "47", "4e", "87", "90", "b7", "bd"];
    const gpus = minors.map((minor, index) => ({ bus: `0000:${buses[index] ?? ""}:00.0`, minor }));
    fakeNvidiaRoot(root, { gpus: gpus.toReversed(), ...files });
    const found = discover().gpus;
    expect(found.map(({ index, minor, busId }) => [index, minor, busId])).toEqual(
      gpus.map(({ bus, minor }, index) => [index, minor, bus]),
    );
    expect(found[0]?.nodes).toContain("/dev/nvidia3");
  });

  it("takes the nodes of the graphics side from the GPU's own folder", () => {
    fakeNvidiaRoot(root, files);
    fs.mkdirSync(join(root, "sys/bus/pci/devices/0000:07:00.0/drm/controlD64"));
    expect(discover().gpus[0]?.nodes).toEqual(["/dev/nvidia0", "/dev/dri/card0", "/dev/dri/renderD128"]);
  });

  it("leaves out GPUs that the driver excludes, and numbers the others without a gap", () => {
    const gpus = [
      { bus: "0000:07:00.0", minor: 0, isExcluded: true },
      { bus: "0000:0f:00.0", minor: 1 },
    ];
    fakeNvidiaRoot(root, { gpus, ...files });
    const { gpus: found, remarks } = discover();
    expect(found.map(({ index, minor }) => [index, minor])).toEqual([[0, 1]]);
    expect(remarks).toEqual([expect.stringMatching(/0000:07:00\.0.*is excluded/)]);
  });

  it("has no uuid of a card that was not initialised", () => {
    fakeNvidiaRoot(root, { gpus: [{ bus: "0000:07:00.0", minor: 0, uuid: null }], ...files });
    const { gpus, remarks } = discover();
    expect(gpus[0]?.uuid).toBeUndefined();
    expect(remarks).toEqual([expect.stringMatching(/GPU 0.*no uuid yet/)]);
  });

  it("finds the instances that are there among all that the table of minors names", () => {
    const gpus = [
      { bus: "0000:07:00.0", minor: 1, mig: { 2: [0], 1: [0, 1] } },
      { bus: "0000:0f:00.0", minor: 0 },
    ];
    fakeNvidiaRoot(root, { gpus, ...files });
    const [first, second] = discover().gpus;
    const caps = (...numbers: readonly number[]): readonly string[] =>
      numbers.map((number) => `/dev/nvidia-caps/nvidia-cap${number}`);
    // Nine numbers an instance from 3 on: access, then eight compute instances.
    expect(first?.mig).toEqual([
      { index: 0, gi: 1, ci: 0, nodes: caps(12, 13) },
      { index: 1, gi: 1, ci: 1, nodes: caps(12, 14) },
      { index: 2, gi: 2, ci: 0, nodes: caps(21, 22) },
    ]);
    expect(second?.mig).toEqual([]);
  });

  const versions: readonly (readonly [text: string, version: string | undefined])[] = [
    ["NVRM version: NVIDIA UNIX x86_64 Kernel Module  375.74  Wed Jun 14 01:39:39 PDT 2017", "375.74"],
    ["NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.144.03  Release Build  (x)  Mon", "550.144.03"],
    ["NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.65.06", "580.65.06"],
    ["GCC version:  gcc version 12.2.0", undefined],
    ["", undefined],
  ];
  it.each(versions)("reads the version of %j", (text, version) => expect(parseModuleVersion(text)).toBe(version));

  it("reads the version in /proc where the module does not tell it", () => {
    fakeNvidiaRoot(root, { module: "open", version: "550.144.03", without: ["module"], ...files });
    expect(discover().drivers[0]?.version).toBe("550.144.03");
  });

  it.each([
    ["nouveau", "kernel driver `nouveau` has it"],
    [undefined, "no kernel driver has it"],
  ])("says why a GPU on the bus is not there: %s", (driver, why) => {
    fakeNvidiaRoot(root, { without: ["module", "proc"], ...files });
    const link = join(root, "sys/bus/pci/devices/0000:07:00.0/driver");
    fs.rmSync(link);
    if (driver !== undefined) fs.symlinkSync(`../../drivers/${driver}`, link);
    const { drivers, gpus, remarks } = discover();
    expect([drivers, gpus]).toEqual([[], []]);
    expect(remarks).toEqual([
      `an NVIDIA GPU is at 0000:07:00.0 (0x20b0), but NVIDIA's kernel module is not loaded: ${why}`,
    ]);
  });

  it("is inside of Windows one node for all GPUs", () => {
    fakeWslRoot(root);
    expect(discover()).toEqual({
      drivers: [{ vendor: "nvidia", kind: "wsl", nodes: ["/dev/dxg"] }],
      gpus: [{ vendor: "nvidia", index: 0, name: "NVIDIA GPU of Windows", nodes: ["/dev/dxg"], mig: [] }],
      remarks: [],
    });
  });
});

describe("AMD", () => {
  it("joins the bus, the compute topology and the render nodes", () => {
    fakeAmdRoot(root, ["0000:03:00.0", "0001:c1:00.0"]);
    const { drivers, gpus, remarks } = discover();
    expect(drivers).toEqual([{ vendor: "amd", kind: "native", version: "6.8.5", nodes: ["/dev/kfd"] }]);
    const common = { vendor: "amd", name: "aldebaran", architecture: "gfx90a", memoryBytes: 68_702_699_520, mig: [] };
    const [one, two] = [
      ["/dev/dri/card0", "/dev/dri/renderD128"],
      ["/dev/dri/card1", "/dev/dri/renderD129"],
    ];
    expect(gpus).toEqual([
      { ...common, index: 0, busId: "0000:03:00.0", uuid: "0x41330bf8eb00a", nodes: one },
      { ...common, index: 1, busId: "0001:c1:00.0", uuid: "0x41330bf8eb00b", nodes: two },
    ]);
    expect(remarks).toEqual([]);
  });

  it("lists the parts of a divided GPU one by one", () => {
    fakeAmdRoot(root);
    const place = "location_id 768\ndomain 0\n";
    put("/sys/class/kfd/kfd/topology/nodes/2/properties", `gfx_target_version 90402\ndrm_render_minor 129\n${place}`);
    fs.mkdirSync(join(root, "sys/devices/platform/amdgpu_xcp_0/drm/renderD129"), { recursive: true });
    fs.mkdirSync(join(root, "sys/devices/platform/amdgpu_xcp_0/drm/card1"), { recursive: true });
    const found = discover().gpus.map(({ index, architecture, nodes }) => [index, architecture, nodes.at(-1)]);
    expect(found).toEqual([
      [0, "gfx90a", "/dev/dri/renderD128"],
      [1, "gfx942", "/dev/dri/renderD129"],
    ]);
  });

  it("has a GPU without its compute side, and says that it is missing", () => {
    fakeAmdRoot(root);
    for (const path of ["dev/kfd", "sys/class/kfd"]) fs.rmSync(join(root, path), { recursive: true });
    const { gpus, remarks } = discover();
    expect(gpus.map(({ name, architecture }) => [name, architecture])).toEqual([["AMD GPU 0x740f", undefined]]);
    expect(remarks).toEqual(["/dev/kfd is missing: ROCm can't compute on this host"]);
  });
});

describe("Intel", () => {
  it("has the display controllers of i915 and xe, and no other device", () => {
    fakeIntelRoot(root, ["0000:00:02.0", "0000:03:00.0"]);
    const { drivers, gpus } = discover();
    expect(drivers).toEqual([{ vendor: "intel", kind: "native", nodes: [] }]);
    expect(gpus.map(({ index, name, nodes }) => [index, name, nodes])).toEqual([
      [0, "Intel GPU 0x56a0", ["/dev/dri/card0", "/dev/dri/renderD128"]],
      [1, "Intel GPU 0x56a0", ["/dev/dri/card1", "/dev/dri/renderD129"]],
    ]);
  });
});

describe("where things are", () => {
  it("is nothing on a host without GPUs", () => {
    expect(discover()).toEqual({ drivers: [], gpus: [], remarks: [] });
  });

  it("takes /proc and /sys of this host for a folder that has libraries alone", () => {
    fs.rmSync(join(root, "proc"), { recursive: true });
    put("/usr/lib64/libcuda.so.535.104.05", "");
    expect(discoverGpus({ driverRoot: root }).gpus.length).toBe(discoverGpus().gpus.length);
  });

  it("gives every GPU of a fake root its own uuid", () => {
    const gpus = [0, 1].map((minor) => ({ bus: `0000:0${minor + 1}:00.0`, minor }));
    fakeNvidiaRoot(root, { gpus, ...files });
    expect(discover().gpus.map(({ uuid }) => uuid)).toEqual([fakeUuid(0), fakeUuid(1)]);
  });
});
