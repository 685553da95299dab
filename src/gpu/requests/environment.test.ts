// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { AskedCapability } from "./drivers.ts";
import { driverCapabilities, imageAsksFor, requestOfEnvironment } from "./environment.ts";

const NVIDIA = { driver: "nvidia", count: 0, deviceIds: [], capabilities: ["gpu"], options: {} };
const ALL = ["compute", "compat32", "graphics", "utility", "video", "display", "ngx"];

describe("NVIDIA_VISIBLE_DEVICES of the user", () => {
  it.each([
    ["unset", [], undefined],
    ["empty", ["NVIDIA_VISIBLE_DEVICES="], undefined],
    ["only commas", ["NVIDIA_VISIBLE_DEVICES= , "], undefined],
    ["void", ["NVIDIA_VISIBLE_DEVICES=void"], undefined],
    ["void among others", ["NVIDIA_VISIBLE_DEVICES=0,void"], undefined],
    ["taken away", ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_VISIBLE_DEVICES"], undefined],
    ["another variable", ["NVIDIA_VISIBLE_DEVICES_X=all"], undefined],
    ["all", ["NVIDIA_VISIBLE_DEVICES=all"], { ...NVIDIA, count: -1 }],
    ["all among others", ["NVIDIA_VISIBLE_DEVICES=0,all"], { ...NVIDIA, count: -1 }],
    ["the last of two", ["NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_VISIBLE_DEVICES=1"], { ...NVIDIA, deviceIds: ["1"] }],
    ["a list with blanks", ["NVIDIA_VISIBLE_DEVICES=0, GPU-a,,0:1"], { ...NVIDIA, deviceIds: ["0", "GPU-a", "0:1"] }],
    ["none", ["NVIDIA_VISIBLE_DEVICES=none"], { ...NVIDIA, deviceIds: ["none"] }],
    ["none among others", ["NVIDIA_VISIBLE_DEVICES=none,1"], { ...NVIDIA, deviceIds: ["1"] }],
    [
      "qualified names alone",
      ["NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=0,a.b/c=d"],
      { ...NVIDIA, driver: "cdi", deviceIds: ["nvidia.com/gpu=0", "a.b/c=d"] },
    ],
    [
      "a qualified name beside another",
      ["NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=0,1"],
      { ...NVIDIA, deviceIds: ["nvidia.com/gpu=0", "1"] },
    ],
  ])("%s", (_, env, wanted) => {
    expect(requestOfEnvironment(env)).toEqual(wanted);
  });
});

it.each([
  [["PATH=/bin"], undefined],
  [["NVIDIA_VISIBLE_DEVICES=all"], "all"],
  [["NVIDIA_VISIBLE_DEVICES=0,1"], "0,1"],
  [["NVIDIA_VISIBLE_DEVICES=void"], undefined],
  [["NVIDIA_VISIBLE_DEVICES=none"], undefined],
])("an image with %j asks for %s", (env, wanted) => {
  expect(imageAsksFor(env)).toBe(wanted);
});

describe("parts of the driver", () => {
  it.each<readonly [string, readonly AskedCapability[], readonly string[], readonly string[]]>([
    ["nobody says", [], [], ["utility", "compute"]],
    ["the request says", ["video"], ["NVIDIA_DRIVER_CAPABILITIES=all"], ["video"]],
    ["the request says all", ["all"], [], ALL],
    ["the image says", [], ["NVIDIA_DRIVER_CAPABILITIES=compute, graphics"], ["compute", "graphics"]],
    ["the image says all", [], ["NVIDIA_DRIVER_CAPABILITIES=all"], ALL],
    ["the image says nothing", [], ["NVIDIA_DRIVER_CAPABILITIES="], ["utility", "compute"]],
  ])("%s", (_, asked, env, wanted) => {
    expect(driverCapabilities(asked, env)).toEqual(wanted);
  });

  it("are words that are known", () => {
    const env = ["NVIDIA_DRIVER_CAPABILITIES=compute,cuda"];
    expect(() => driverCapabilities([], env)).toThrow("unsupported capabilities found in 'compute,cuda'");
  });
});
