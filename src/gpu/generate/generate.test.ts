// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakeAmdRoot, fakeIntelRoot, fakeNvidiaRoot, fakeWslRoot } from "../../../test/support/fake-driver-root.ts";
import type { FakeDriver, FakeGpu } from "../../../test/support/fake-driver-root.ts";
import { checkSpec } from "../cdi/check-spec.ts";
import { parseSpec } from "../cdi/read-file.ts";
import { discoverGpus } from "../host/discover.ts";
import type { CdiEdits } from "../types.ts";
import { DRIVER_CAPABILITIES } from "./capabilities.ts";
import { generateSpecs } from "./generate.ts";
import type { GenerateOptions, GeneratedSpecs } from "./options.ts";
import { specText } from "./print.ts";

const isRoot = process.getuid?.() === 0;

let root = "";
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-generate-"));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const generate = (options: GenerateOptions = {}): GeneratedSpecs => {
  const place = { driverRoot: root, devRoot: root };
  return generateSpecs(discoverGpus(place), { ...place, ...options });
};
const common = (options: GenerateOptions = {}): CdiEdits => generate(options).specs[0]?.containerEdits ?? {};
/** Names that libraries have in the container. */
const libraries = (options: GenerateOptions, folder = "lib64"): readonly string[] => {
  const prefix = `/usr/local/nvidia/${folder}/`;
  const paths = (common(options).mounts ?? []).map(({ containerPath }) => containerPath);
  return paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
};

// Minors that are not in the order of the bus, as some machines with eight have them.
const EIGHT: readonly FakeGpu[] = ["07", "0f", "47", "4e", "87", "90", "b7", "bd"].map((bus, index) => ({
  bus: `0000:${bus}:00.0`,
  minor: [3, 2, 1, 0, 7, 6, 5, 4][index] ?? 0,
}));
const DIVIDED: readonly FakeGpu[] = [
  { bus: "0000:07:00.0", minor: 1, mig: { 1: [0], 2: [0] } },
  { bus: "0000:0f:00.0", minor: 0 },
];

/** One golden file each, with the fake root as ROOT; UPDATE_GOLDEN=1 writes them anew. */
const golden: readonly (readonly [name: string, make: (root: string) => void, options: GenerateOptions])[] = [
  ["nvidia", (at) => fakeNvidiaRoot(at), { isPortable: true }],
  ["nvidia-own", (at) => fakeNvidiaRoot(at), { capabilities: ["compute", "utility"] }],
  [
    "nvidia-eight",
    (at) => fakeNvidiaRoot(at, { gpus: EIGHT }),
    { capabilities: ["utility"], names: ["index", "uuid", "type-index"] },
  ],
  ["nvidia-mig", (at) => fakeNvidiaRoot(at, { gpus: DIVIDED }), { capabilities: ["utility"], isPortable: true }],
  ["nvidia-unmade", (at) => fakeNvidiaRoot(at, { nodes: "files" }), { capabilities: ["compute"], names: ["index"] }],
  [
    "nvidia-fedora",
    (at) => fakeNvidiaRoot(at, { family: "fedora", version: "580.65.06", module: "open" }),
    { capabilities: ["utility"] },
  ],
  ["wsl", fakeWslRoot, { isPortable: true }],
  ["wsl-own", fakeWslRoot, {}],
  ["amd", (at) => fakeAmdRoot(at, ["0000:03:00.0", "0001:c1:00.0"]), { isPortable: true }],
  ["intel", (at) => fakeIntelRoot(at), { isPortable: true, names: ["index", "type-index"] }],
];

describe.skipIf(!isRoot)("specifications of fake driver roots (device nodes need root)", () => {
  it.each(golden)("%s", async (name, make, options) => {
    make(root);
    const { specs, remarks } = generate(options);
    expect([specs.length, remarks]).toEqual([1, []]);
    const texts = await Promise.all(specs.map((spec) => specText(spec, "yaml")));
    const text = texts.join("").replaceAll(root, "ROOT");
    const file = join(import.meta.dirname, "testdata", `${name}.yaml`);
    if (process.env["UPDATE_GOLDEN"] === "1") fs.writeFileSync(file, text);
    expect(text).toBe(fs.readFileSync(file, "utf8"));
  });

  it.each(golden.filter(([, , options]) => options.isPortable))(
    "%s is read back as it was written",
    async (_, make, options) => {
      make(root);
      const { specs } = generate(options);
      for (const spec of specs) {
        expect(await parseSpec(await specText(spec, "yaml"), "yaml")).toEqual(spec);
        expect(await parseSpec(await specText(spec, "json"), "json")).toEqual(spec);
      }
    },
  );

  it("have the groups of nodes that not everybody may open, which need version 0.7.0", () => {
    fakeNvidiaRoot(root);
    fs.chownSync(join(root, "dev/dri/card0"), 0, 44);
    fs.chownSync(join(root, "dev/dri/renderD128"), 0, 105);
    const [spec] = generate().specs;
    expect(spec?.cdiVersion).toBe("0.7.0");
    for (const { containerEdits } of spec?.devices ?? []) expect(containerEdits.additionalGids).toEqual([44, 105]);
    expect(generate({ hasGroups: false }).specs[0]?.cdiVersion).toBe("0.5.0");
    expect(generate({ capabilities: ["compute"] }).specs[0]?.cdiVersion).toBe("0.5.0");
  });
});

describe("libraries of NVIDIA's driver", () => {
  const files = (driver: FakeDriver = {}): void => fakeNvidiaRoot(root, { ...driver, nodes: "files" });

  it("are under every name that programs open them by", () => {
    files();
    const names = libraries({ capabilities: ["compute"] });
    expect(names.filter((name) => name.startsWith("libcuda."))).toEqual([
      "libcuda.so.535.104.05",
      "libcuda.so",
      "libcuda.so.1",
    ]);
    expect(names).toContain("libnvidia-nvvm.so.4");
  });

  it("are those of the loaded module, not of an older installation", () => {
    files({ stale: "470.57.02" });
    expect(libraries({}).filter((name) => name.includes("470"))).toEqual([]);
  });

  it("are found by the loader's cache where no usual folder has them", () => {
    files({ family: "cache" });
    expect(libraries({ capabilities: ["utility"] })).toContain("libnvidia-ml.so.1");
  });

  it("are found behind absolute links, which lead to places of the driver's own root", () => {
    files();
    const folder = join(root, "usr/lib/x86_64-linux-gnu");
    fs.mkdirSync(join(root, "opt"));
    fs.renameSync(folder, join(root, "opt/driver"));
    fs.symlinkSync("/opt/driver", folder);
    const [mount] = (common({ capabilities: ["utility"] }).mounts ?? []).filter(({ containerPath }) =>
      /libnvidia-ml/.test(containerPath),
    );
    expect(mount?.hostPath).toBe(join(root, "opt/driver/libnvidia-ml.so.535.104.05"));
  });

  it("have the name in the library itself where the host lacks the link", () => {
    files();
    fs.rmSync(join(root, "usr/lib/x86_64-linux-gnu/libnvidia-nvvm.so.4"));
    expect(libraries({ capabilities: ["compute"] })).toContain("libnvidia-nvvm.so.4");
  });

  it("of 32 bits come with compat32 alone, in a folder of their own", () => {
    files({ has32Bits: true });
    expect(libraries({ capabilities: ["compute"] }, "lib")).toEqual([]);
    const asked: GenerateOptions = { capabilities: ["compute", "compat32"] };
    expect(libraries(asked, "lib")).toEqual(["libcuda.so.535.104.05", "libcuda.so", "libcuda.so.1"]);
    expect(common(asked).searchPaths?.["LD_LIBRARY_PATH"]).toEqual([
      "/usr/local/nvidia/lib64",
      "/usr/local/nvidia/lib",
    ]);
  });

  const parts: readonly (readonly [part: (typeof DRIVER_CAPABILITIES)[number], has: string, hasNot: string])[] = [
    ["compute", "libcuda.so.1", "libnvidia-encode.so.1"],
    ["utility", "libnvidia-ml.so.1", "libcuda.so.1"],
    ["video", "libnvcuvid.so.1", "libnvidia-ml.so.1"],
    ["graphics", "libGLX_nvidia.so.0", "libcuda.so.1"],
    ["ngx", "libnvidia-ngx.so.1", "libcuda.so.1"],
  ];
  it.each(parts)("come by parts of the driver: %s", (part, has, hasNot) => {
    files();
    const names = libraries({ capabilities: [part] });
    expect([names.includes(has), names.includes(hasNot)]).toEqual([true, false]);
  });

  it("that no table knows come always", () => {
    files();
    const known = join(root, "usr/lib/x86_64-linux-gnu/libnvidia-ml.so.535.104.05");
    fs.copyFileSync(known, join(root, "usr/lib/x86_64-linux-gnu/libnvidia-newpart.so.535.104.05"));
    expect(libraries({ capabilities: ["ngx"] })).toContain("libnvidia-newpart.so.535.104.05");
  });
});

describe("drivers that are not whole", () => {
  const broken: readonly (readonly [name: string, driver: FakeDriver, error: RegExp])[] = [
    [
      "libraries of another version",
      { without: ["libcuda"], stale: "470.57.02" },
      /module is version 535\.104\.05, .* version 470\.57\.02/,
    ],
    ["no libcuda", { without: ["libcuda"] }, /`libcuda\.so\.535\.104\.05` is not in/],
    ["no library", { without: ["libraries"] }, /`libcuda\.so\.535\.104\.05` is not in/],
    ["no nvidia-uvm", { without: ["uvm"] }, /`\/dev\/nvidia-uvm` is missing.*nvidia-modprobe -u/],
  ];
  it.each(broken)("%s is an error for a container that shall compute", (_, driver, error) => {
    fakeNvidiaRoot(root, { ...driver, nodes: "files" });
    expect(() => generate()).toThrow(error);
    expect(() => generate()).toThrow(expect.objectContaining({ code: "E_GPU_DRIVER" }));
  });

  it("are enough for nvidia-smi without CUDA's library", () => {
    fakeNvidiaRoot(root, { without: ["libcuda", "uvm"], nodes: "files" });
    expect(libraries({ capabilities: ["utility"] })).toContain("libnvidia-ml.so.1");
  });

  it("are a remark when the specification is for others", () => {
    fakeNvidiaRoot(root, { without: ["uvm"], nodes: "files" });
    const { specs, remarks } = generate({ isPortable: true });
    expect(remarks).toEqual([
      expect.stringContaining("/dev/nvidia-uvm`"),
      expect.stringContaining("/dev/nvidia-uvm-tools`"),
    ]);
    expect(specs[0]?.containerEdits?.deviceNodes?.map(({ path }) => path)).toEqual([
      "/dev/nvidiactl",
      "/dev/nvidia-modeset",
    ]);
  });

  it("have devices without the graphics side, firmware or daemons", () => {
    fakeNvidiaRoot(root, { without: ["drm", "firmware", "sockets", "nvidia-smi"], nodes: "files" });
    const [spec] = generate().specs;
    expect(spec?.devices[0]?.containerEdits.deviceNodes).toEqual([
      { path: "/dev/nvidia0", type: "c", major: 195, minor: 0, fileMode: 0o666 },
    ]);
  });

  it("give a valid specification for every part", () => {
    fakeNvidiaRoot(root, { gpus: DIVIDED, nodes: "files" });
    for (const part of DRIVER_CAPABILITIES)
      for (const isPortable of [true, false]) generate({ capabilities: [part], isPortable }).specs.forEach(checkSpec);
  });
});

describe("devices", () => {
  it("have no `all` where that is not wanted", () => {
    fakeNvidiaRoot(root, { nodes: "files" });
    expect(generate({ hasAll: false, names: ["index"] }).specs[0]?.devices.map(({ name }) => name)).toEqual(["0"]);
  });

  it("are none on a host without GPUs", () => {
    fs.mkdirSync(join(root, "proc"));
    fs.writeFileSync(join(root, "proc/devices"), "");
    expect(generate()).toEqual({ specs: [], remarks: [] });
  });

  it("are those of each maker in a specification of its own", () => {
    fakeNvidiaRoot(root, { nodes: "files", without: ["drm"] });
    fakeIntelRoot(root);
    fs.rmSync(join(root, "proc/devices"));
    fs.writeFileSync(join(root, "proc/devices"), "Character devices:\n195 nvidia\n511 nvidia-uvm\n");
    const kinds = generate().specs.map(({ kind }) => kind);
    expect(kinds).toEqual(isRoot ? ["nvidia.com/gpu", "intel.com/gpu"] : ["nvidia.com/gpu"]);
  });
});
