// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UTILIZATION_SIZE, processLayout, readBusId, readProcesses, readText, readUtilization } from "./layouts.ts";

const LIST = "nvmlDeviceGetComputeRunningProcesses";
const SECRET = "nvmlDeviceGetConfComputeMemSizeInfo";
const DETAIL = "nvmlDeviceGetRunningProcessDetailList";

describe("the layout of the list of processes", () => {
  it.each([
    ["before branch 450", [LIST], "", 16, false],
    ["branches 450 to 495", [LIST, `${LIST}_v2`], "_v2", 24, true],
    ["from branch 510 on", [LIST, `${LIST}_v2`, `${LIST}_v3`], "_v3", 24, true],
    ["the first of branch 535", [LIST, `${LIST}_v2`, `${LIST}_v3`, SECRET], "_v3", 32, true],
    ["the later ones", [LIST, `${LIST}_v2`, `${LIST}_v3`, SECRET, DETAIL], "_v3", 24, true],
  ] as const)("%s", (_name, functions, suffix, size, hasInstances) => {
    const has = (name: string): boolean => (functions as readonly string[]).includes(name);
    expect(processLayout(has)).toEqual({ suffix, size, hasInstances });
  });

  it("reads as many whole items as there are, whatever the driver says of their number", () => {
    const layouts = [[LIST], [`${LIST}_v2`], [`${LIST}_v3`, SECRET]].map((names) =>
      processLayout((name) => names.includes(name)),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), fc.constantFrom(...layouts), (bytes, count, layout) => {
        const found = readProcesses(Buffer.from(bytes), count, layout);
        expect(found).toHaveLength(Math.min(count, Math.floor(bytes.length / layout.size)));
        expect(readUtilization(Buffer.from(bytes), count).size).toBeLessThanOrEqual(bytes.length / UTILIZATION_SIZE);
      }),
    );
  });
});

it("writes a PCI address as /sys does, also of a domain with more digits", () => {
  const bytes = Buffer.alloc(68);
  const address = (domain: number, bus: number, device: number): string => {
    [domain, bus, device].forEach((value, index) => bytes.writeUInt32LE(value, 16 + index * 4));
    return readBusId(bytes);
  };
  expect(address(0, 0x0f, 0)).toBe("0000:0f:00.0");
  expect(address(0x1_0000, 0xc1, 0x1f)).toBe("10000:c1:1f.0");
});

it("ends text at the first zero, or with the buffer", () => {
  expect(readText(Buffer.from("535.104.05\0rest"))).toBe("535.104.05");
  expect(readText(Buffer.from("full"))).toBe("full");
});
