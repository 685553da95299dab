// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { anything, assert, property } from "fast-check";
import { isTareError } from "../base/index.ts";
import { parseComposeDevices, parseComposeGpus } from "./index.ts";

const PLAIN = { driver: "", count: -1, deviceIds: [], capabilities: ["gpu"], options: {} };

describe("gpus: of a service", () => {
  it.each([
    ["all", "all", [PLAIN]],
    ["an empty list", [], []],
    ["one of any driver", [{ count: 1 }], [{ ...PLAIN, count: 1 }]],
    ["nothing said is all", [{}], [PLAIN]],
    ["a count in quotes", [{ count: "2" }], [{ ...PLAIN, count: 2 }]],
    ["count all", [{ count: "all" }], [PLAIN]],
    ["count 0", [{ count: 0 }], [{ ...PLAIN, count: 0 }]],
    ["ids, also as numbers", [{ device_ids: ["0", 3] }], [{ ...PLAIN, count: 0, deviceIds: ["0", "3"] }]],
    [
      "a driver with options as a mapping",
      [{ driver: "nvidia", count: 1, options: { virtualization: false, mode: "x" } }],
      [{ ...PLAIN, driver: "nvidia", count: 1, options: { virtualization: "false", mode: "x" } }],
    ],
    ["options as a list", [{ options: ["a=b=c", "d"] }], [{ ...PLAIN, options: { a: "b=c", d: "" } }]],
    ["capabilities", [{ capabilities: ["gpu", "utility"] }], [{ ...PLAIN, capabilities: ["utility", "gpu"] }]],
    [
      "two requests",
      [{ count: 1 }, { driver: "amd" }],
      [
        { ...PLAIN, count: 1 },
        { ...PLAIN, driver: "amd" },
      ],
    ],
    ["an extension", [{ "x-note": 1 }], [PLAIN]],
  ])("%s", (_, value, wanted) => {
    expect(parseComposeGpus(value)).toEqual(wanted);
  });

  it.each([
    ["some", "all"],
    [{ count: 1 }, "gpus: not a list"],
    [["all"], "gpus[0]: not a mapping"],
    [[{ counts: 1 }], 'gpus[0]: unexpected key "counts"'],
    [[{}, { count: 1.5 }], 'gpus[1].count: "1.5" is neither "all" nor a number'],
    [[{ count: -2 }], "gpus[0].count"],
    [[{ count: 1, device_ids: ["0"] }], '"count" and "device_ids" exclude each other'],
    [[{ device_ids: "0" }], "gpus[0].device_ids: not a list"],
    [[{ device_ids: [""] }], "an item is empty"],
    [[{ driver: 1 }], "gpus[0].driver: not a text"],
    [[{ options: { a: [] } }], "gpus[0].options.a: not a text"],
  ])("refuses %j", (value, text) => {
    expect(() => parseComposeGpus(value)).toThrow(text);
  });
});

describe("deploy.resources.reservations.devices", () => {
  it.each([
    [
      "the usual one",
      [{ driver: "nvidia", count: 1, capabilities: ["gpu"] }],
      [{ ...PLAIN, driver: "nvidia", count: 1 }],
    ],
    ["ids", [{ capabilities: ["gpu"], device_ids: ["GPU-a"] }], [{ ...PLAIN, count: 0, deviceIds: ["GPU-a"] }]],
  ])("%s", (_, value, wanted) => {
    expect(parseComposeDevices(value)).toEqual(wanted);
  });

  it("wants capabilities, as Compose does", () => {
    expect(() => parseComposeDevices([{ count: 1 }])).toThrow("devices[0]: capabilities are missing");
  });
});

it("gives a request or E_USAGE, whatever the document holds", () => {
  assert(
    property(anything(), (value) => {
      for (const parse of [parseComposeGpus, parseComposeDevices]) {
        try {
          parse([value]);
        } catch (error) {
          if (!isTareError(error, "E_USAGE")) throw error;
        }
      }
    }),
  );
});
