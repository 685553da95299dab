// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { shippedGpuData } from "../data/load.ts";
import { automaticBuild } from "./automatic-build.ts";
import { parseGpuTarget } from "./target.ts";

const data = await shippedGpuData();
const choose = (...texts: readonly string[]): string =>
  automaticBuild(
    texts.map((text) => parseGpuTarget(text)),
    data,
  );

it.each([
  ["cpu", []],
  ["cu132", ["driver=580.65.06"]],
  ["cu128", ["driver=570.124.06"]],
  ["cu128", ["driver=525.60.13"]],
  ["cu118", ["driver=470.82.01"]],
  ["cpu", ["driver=390.157"]],
  ["cu132", ["driver=580,sm=90"]],
  ["cu126", ["driver=580,sm=70"]],
  ["cu126", ["driver=535,sm=61"]],
  ["cu128", ["driver=570,sm=120"]],
  ["cu126", ["driver=570,sm=70,sm=90"]],
  ["cu128", ["driver=535,sm=80", "driver=580,sm=120"]],
  ["cpu", ["driver=470,sm=70", "driver=580,sm=120"]],
  ["rocm7.2", ["gfx=gfx1151"]],
  ["cpu", ["gfx=gfx803"]],
  ["xpu", ["vendor=intel"]],
])("chooses %s for %j", (wanted, targets) => {
  expect(choose(...targets)).toBe(wanted);
});

it.each([
  [["sm=80"], "the driver of `sm=80` is not told"],
  [["driver=535", "gfx=gfx90a"], "have GPUs of different makers"],
])("does not guess for %j", (targets, message) => {
  expect(() => choose(...targets)).toThrow(
    expect.objectContaining({ code: "E_ACCELERATOR", message: expect.stringContaining(message) }),
  );
});
