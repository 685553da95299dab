// SPDX-License-Identifier: Apache-2.0
/* `tare gpu cdi generate` on folders that look like machines with GPUs. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fakeIntelRoot, fakeNvidiaRoot } from "../support/fake-driver-root.ts";
import { openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";

let world: ProgramWorld;
let driver = "";
beforeAll(() => {
  world = openProgramWorld("gpu-cdi");
  driver = join(world.folder, "driver");
  fakeNvidiaRoot(driver, { nodes: "files", without: ["drm"] });
});
afterAll(() => world.close());

const generate = (...options: readonly string[]): string => world.ok("gpu", "cdi", "generate", ...options);

describe("tare gpu cdi generate", () => {
  it("prints YAML, and takes the driver's folder from the variable of GPU operators", () => {
    const printed = generate("--driver-root", driver);
    expect(printed).toMatch(/^cdiVersion: 0\.5\.0\nkind: nvidia\.com\/gpu\ndevices:\n {2}- name: "0"\n/);
    const { out } = world.tare(["gpu", "cdi", "generate"], { env: { NVIDIA_DRIVER_ROOT: driver } });
    expect(out.trimEnd()).toBe(printed);
  });

  it("writes a file in the form that its name says", () => {
    const file = join(world.folder, "cdi/nvidia.json");
    const options = ["--device-name-strategy", "type-index", "--no-all-device", "--driver-capabilities", "utility"];
    expect(generate("--driver-root", driver, "--output", file, ...options)).toBe("");
    const spec = JSON.parse(fs.readFileSync(file, "utf8")) as {
      readonly devices: readonly { readonly name: string }[];
    };
    expect(spec.devices.map(({ name }) => name)).toEqual(["gpu0"]);
    expect(fs.statSync(file).mode & 0o777).toBe(0o644);
    expect(JSON.stringify(spec)).not.toContain("libcuda");
  });

  it("says what it left out, and which files no program reads", () => {
    const both = join(world.folder, "both");
    fakeNvidiaRoot(both, { nodes: "files", without: ["drm", "uvm"] });
    fakeIntelRoot(both);
    fs.writeFileSync(join(both, "proc/devices"), "Character devices:\n195 nvidia\n");
    const file = join(world.folder, "made.yml");
    const { err, code } = world.tare(["gpu", "cdi", "generate", "--driver-root", both, "-o", file]);
    expect([code, err.match(/^note: /gm)?.length]).toEqual([0, 4]);
    expect(err).toMatch(/`\/dev\/nvidia-uvm` is missing.*nvidia-modprobe/);
    expect(err).toMatch(/intel\.com\/gpu is here too: write it with --kind intel\.com\/gpu/);
    expect(err).toMatch(/files named \*\.yaml and \*\.json alone/);
    expect(generate("--driver-root", both, "--kind", "intel.com/gpu")).toMatch(/^kind: intel\.com\/gpu$/m);
  });

  const refused: readonly (readonly [name: string, options: readonly string[], error: RegExp])[] = [
    ["a host without GPUs", ["--driver-root", "ROOT/empty"], /^error\[E_GPU_MISSING\].*no GPU/],
    ["a maker that is not there", ["--driver-root", "ROOT/driver", "--kind", "amd.com/gpu"], /only nvidia\.com\/gpu/],
    [
      "a part that the driver does not have",
      ["--driver-capabilities", "compute,cuda"],
      /unknown part of the driver `cuda`/,
    ],
    ["a flag about hooks", ["--ldconfig-path", "/sbin/ldconfig"], /needs no hook/],
  ];
  it.each(refused)("refuses %s", (_, options, error) => {
    fs.mkdirSync(join(world.folder, "empty/proc"), { recursive: true });
    fs.writeFileSync(join(world.folder, "empty/proc/devices"), "");
    fs.mkdirSync(join(world.folder, "empty/dev/dri"), { recursive: true });
    const words = options.map((word) => word.replace("ROOT", world.folder));
    const { code, err } = world.tare(["gpu", "cdi", "generate", ...words]);
    expect(code).not.toBe(0);
    expect(err).toMatch(error);
  });
});
