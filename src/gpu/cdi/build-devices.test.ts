// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { CdiDevice, CdiSpec } from "../types.ts";
import { devicesForBuild, isAutoAllowed } from "./build-devices.ts";
import { loadCdi } from "./registry.ts";

const CLASS = "org.mobyproject.buildkit.device.class";
const ALLOW = "org.mobyproject.buildkit.device.autoallow";

function device(name: string, annotations?: Readonly<Record<string, string>>): CdiDevice {
  return { name, containerEdits: { env: [`D=${name}`] }, ...(annotations === undefined ? {} : { annotations }) };
}

const ONE: CdiSpec = {
  cdiVersion: "0.6.0",
  kind: "vendor1.com/device",
  annotations: { [ALLOW]: "true" },
  devices: [
    device("foo"),
    device("bar", { [CLASS]: "class1" }),
    device("baz", { [CLASS]: "class1", [ALLOW]: "false" }),
  ],
};
const TWO: CdiSpec = {
  cdiVersion: "0.6.0",
  kind: "vendor2.com/device",
  devices: [device("a", { [CLASS]: "vendor1.com/x" })],
};

describe("the devices that RUN --device names", () => {
  it.each([
    ["vendor1.com/device=foo", ["foo"]],
    ["vendor1.com/device", ["bar"]],
    ["vendor1.com/device=*", ["bar", "baz", "foo"]],
    ["class1", ["bar", "baz"]],
    ["vendor1.com/x", ["a"]],
    ["vendor1.com/device=qux", []],
    ["vendor1.com", []],
    ["", []],
  ])("%s", async (name, wanted) => {
    const registry = await loadCdi({ directories: [], generated: [ONE, TWO] });
    expect(devicesForBuild(registry, name).map((one) => one.device.name)).toEqual(wanted);
  });

  it("are allowed without asking where their specification says so, the device's own word first", async () => {
    const registry = await loadCdi({ directories: [], generated: [ONE, TWO] });
    const allowed = registry.devices().filter(isAutoAllowed);
    expect(allowed.map((one) => one.device.name)).toEqual(["bar", "foo"]);
  });
});
