// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { isTargetText, parseGpuTarget } from "./target.ts";
import { targetsOfHost } from "./target-of-host.ts";

it.each([
  ["driver=535,sm=70", { vendor: "nvidia", driver: "535", gpus: [{ architecture: "7.0" }] }],
  [
    "driver=570.86.10, sm=8.0,sm=120",
    { driver: "570.86.10", gpus: [{ architecture: "8.0" }, { architecture: "12.0" }] },
  ],
  ["sm=sm_90,brand=Tesla,name=H100", { gpus: [{ architecture: "9.0", brand: "tesla", name: "H100" }] }],
  ["driver=535", { driver: "535", gpus: [] }],
  ["name=RTX 4090", { gpus: [{ name: "RTX 4090" }] }],
  ["cuda=12.4,sm=86", { cuda: "12.4", gpus: [{ architecture: "8.6" }] }],
  ["gfx=gfx90a", { vendor: "amd", gpus: [{ architecture: "gfx90a" }] }],
  ["vendor=amd,gfx=942", { vendor: "amd", gpus: [{ architecture: "gfx942" }] }],
  ["vendor=intel", { vendor: "intel", gpus: [] }],
])("reads %s", (text, target) => {
  expect(parseGpuTarget(text)).toMatchObject({ name: text, ...target });
  expect(parseGpuTarget(text, "cluster").name).toBe("cluster");
});

it.each([
  ["driver=535,sm", "`sm` has no value", "driver=535,sm=70"],
  ["driver=535,cc=70", "unknown key `cc`", "keys: driver"],
  ["drivers=535", "unknown key `drivers`", "did you mean `driver`"],
  ["driver=R535", "`driver=R535` is no version", "driver=535"],
  ["sm=7", "`sm=7` is no compute capability", "sm=70"],
  ["sm=turing", "`sm=turing` is no compute capability", "gpu ls"],
  ["driver=535,driver=550", "`driver` stands twice", "leave out one"],
  ["vendor=matrox", "unknown vendor `matrox`", "one of nvidia, amd, intel"],
  ["", "unknown key ``", "keys: driver"],
])("refuses `%s`", (text, message, hint) => {
  expect(() => parseGpuTarget(text)).toThrow(
    expect.objectContaining({
      code: "E_USAGE",
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    }),
  );
});

it("tells a description from a name", () => {
  expect(isTargetText("driver=535")).toBe(true);
  expect(isTargetText("cluster")).toBe(false);
});

it("makes a target of each maker on a host, equal GPUs once", () => {
  const card = { vendor: "nvidia", name: "A100", architecture: "8.0", nodes: [], mig: [] } as const;
  const host = {
    drivers: [
      { vendor: "nvidia", kind: "native", version: "535.104.05", nodes: [] },
      { vendor: "intel", kind: "native", nodes: [] },
    ],
    gpus: [
      { ...card, index: 0 },
      { ...card, index: 1 },
    ],
    remarks: [],
  } as const;
  expect(targetsOfHost(host)).toEqual([
    { name: "this host", vendor: "nvidia", driver: "535.104.05", gpus: [{ name: "A100", architecture: "8.0" }] },
  ]);
});
