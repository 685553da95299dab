// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CdiEdits, CdiSpec } from "../types.ts";
import { HOOK_NAMES, checkDevice, checkEdits, checkSpec } from "./check-spec.ts";
import { minimumVersion } from "./versions.ts";
import { parseSpec } from "./read-file.ts";

const DEVICE = { name: "dev", containerEdits: { env: ["A=1"] } };
const PLAIN: CdiSpec = { cdiVersion: "0.6.0", kind: "vendor.com/device", devices: [DEVICE] };

function specOf(edits: CdiEdits, more: Partial<CdiSpec> = {}): CdiSpec {
  return { ...PLAIN, containerEdits: edits, ...more };
}

const GOOD: readonly (readonly [name: string, spec: CdiSpec])[] = [
  ["plain", PLAIN],
  ["with the v of a version", { ...PLAIN, cdiVersion: "v1.1.0" }],
  ["a digit first in a name", { ...PLAIN, devices: [{ ...DEVICE, name: "0:1" }] }],
  ["dots in the class", { ...PLAIN, kind: "vendor.com/gpu.part" }],
  ["annotations", { ...PLAIN, annotations: { a: "b" } }],
  ["groups", specOf({ additionalGids: [4] }, { cdiVersion: "0.7.0" })],
  ["an old name of monitoring", specOf({ intelRdt: { enableCMT: true } }, { cdiVersion: "0.7.0" })],
  ["network interfaces", specOf({ netDevices: [{ hostInterfaceName: "a", name: "b" }] }, { cdiVersion: "1.1.0" })],
  ["every hook", specOf({ hooks: HOOK_NAMES.map((hookName) => ({ hookName, path: "/bin/true" })) })],
  ["no permissions", specOf({ deviceNodes: [{ path: "/dev/x", permissions: "none" }] })],
];

const BAD: readonly (readonly [name: string, spec: CdiSpec, why: RegExp])[] = [
  ["an unknown version", { ...PLAIN, cdiVersion: "1.2.0" }, /invalid version "1\.2\.0"/],
  ["too old a version", { ...PLAIN, cdiVersion: "0.2.0" }, /must be at least v0\.3\.0/],
  [
    "mount type before 0.4.0",
    older("0.3.0", { mounts: [{ hostPath: "x", containerPath: "/x", type: "tmpfs" }] }),
    /v0\.4\.0/,
  ],
  ["hostPath before 0.5.0", older("0.4.0", { deviceNodes: [{ path: "/dev/x", hostPath: "/dev/y" }] }), /v0\.5\.0/],
  ["a digit first before 0.5.0", { ...PLAIN, cdiVersion: "0.4.0", devices: [{ ...DEVICE, name: "0" }] }, /v0\.5\.0/],
  ["annotations before 0.6.0", { ...PLAIN, cdiVersion: "0.5.0", annotations: { a: "b" } }, /v0\.6\.0/],
  ["dots in the class before 0.6.0", { ...PLAIN, cdiVersion: "0.5.0", kind: "v/a.b" }, /v0\.6\.0/],
  ["groups before 0.7.0", older("0.6.0", { additionalGids: [4] }), /v0\.7\.0/],
  ["schemata before 1.1.0", older("1.0.0", { intelRdt: { schemata: ["L3:0=f"] } }), /v1\.1\.0/],
  ["a dropped field", specOf({ intelRdt: { enableMBM: true } }, { cdiVersion: "1.1.0" }), /enableMonitoring/],
  ["no slash in the kind", { ...PLAIN, kind: "vendor.com" }, /wanted `vendor\/class`/],
  ["a vendor that ends in a dash", { ...PLAIN, kind: "vendor-/c" }, /the vendor `vendor-`/],
  ["a class with an equals sign", { ...PLAIN, kind: "vendor/c=" }, /the class `c=`/],
  ["no devices", { ...PLAIN, devices: [] }, /one at least/],
  ["two of a name", { ...PLAIN, devices: [DEVICE, DEVICE] }, /two have the name `dev`/],
  ["a name with a slash", { ...PLAIN, devices: [{ ...DEVICE, name: "a/b" }] }, /device `a\/b`/],
  ["a device that changes nothing", { ...PLAIN, devices: [{ name: "a", containerEdits: { env: [] } }] }, /are empty/],
  ["a variable without a value", specOf({ env: ["A"] }), /`A` is not NAME=VALUE/],
  ["a type of node", specOf({ deviceNodes: [{ path: "/dev/x", type: "f" }] }), /unknown type `f`/],
  ["permissions", specOf({ deviceNodes: [{ path: "/dev/x", permissions: "rx" }] }), /`rx` are not/],
  ["a hook's name", specOf({ hooks: [{ hookName: "preStart", path: "/x" }] }), /unknown hookName/],
  ["a class of service", older("1.0.0", { intelRdt: { closID: "a/b" } }), /closID/],
  [
    "one interface twice",
    older("1.1.0", {
      netDevices: [
        { hostInterfaceName: "a", name: "b" },
        { hostInterfaceName: "a", name: "c" },
      ],
    }),
    /`a` stands there twice/,
  ],
];

function older(cdiVersion: string, edits: CdiEdits): CdiSpec {
  return specOf(edits, { cdiVersion });
}

describe("the rules of a CDI specification", () => {
  it.each(GOOD)("lets in: %s", (_name, spec) => {
    expect(() => checkSpec(spec)).not.toThrow();
  });

  it.each(BAD)("refuses: %s", (_name, spec, why) => {
    expect(() => checkSpec(spec)).toThrow(why);
  });

  it("checks a device and edits alone", () => {
    expect(() => checkDevice({ name: "a b", containerEdits: { env: ["A=1"] } })).toThrow(/device `a b`/);
    expect(() => checkEdits({ mounts: [{ hostPath: "", containerPath: "/x" }] }, "here")).toThrow(/^here: mounts/);
    expect(minimumVersion(PLAIN)).toBe("0.3.0");
  });
});

const YAML_HEAD = "cdiVersion: 0.6.0\nkind: vendor.com/device\ndevices:\n";

describe("reading a CDI specification", () => {
  it("reads YAML as vendors' programs write it", async () => {
    const spec = await parseSpec(
      `---\n${YAML_HEAD}- name: 0\n  containerEdits:\n    deviceNodes:\n    - {path: /dev/x, fileMode: 0660}\n- name: 0:1\n  containerEdits:\n    env: [A=1]\ncontainerEdits:\n`,
      "yaml",
    );
    expect(spec.devices.map(({ name }) => name)).toEqual(["0", "0:1"]);
    expect(spec.devices[0]?.containerEdits.deviceNodes?.[0]?.fileMode).toBe(0o660);
    expect(spec.containerEdits).toBeUndefined();
  });

  const FAULTS: readonly (readonly [name: string, text: string, why: RegExp])[] = [
    [
      "an unknown field",
      `${YAML_HEAD}- name: a\n  containerEdits: {env: [A=1]}\n  color: red\n`,
      /devices\[0\]: unknown field `color`/,
    ],
    ["a key twice", `${YAML_HEAD}- name: a\n  name: b\n  containerEdits: {env: [A=1]}\n`, /not YAML/],
    ["two documents", "--- 1\n--- 2\n", /multiple documents/],
    ["a tag that nobody knows", `${YAML_HEAD}- name: !x a\n  containerEdits: {env: [A=1]}\n`, /Unresolved tag/],
    ["nothing", "", /expected an object, got nothing/],
    ["no version", "kind: a/b\ndevices: []\n", /`cdiVersion` is missing/],
    [
      "a text for a number",
      `${YAML_HEAD}- name: a\n  containerEdits: {deviceNodes: [{path: /x, major: "1"}]}\n`,
      /expected an integer/,
    ],
    ["a group below 0", `${YAML_HEAD}- name: a\n  containerEdits: {additionalGids: [-1]}\n`, /of 0 to 4294967295/],
    [
      "a mount that no runtime can make",
      `${YAML_HEAD}- name: a\n  containerEdits: {mounts: [{hostPath: /a, containerPath: /b, options: [ro]}]}\n`,
      /neither `bind` nor `rbind`/,
    ],
    [
      "too many aliases",
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c]\n`,
      /alias/,
    ],
  ];
  it.each(FAULTS)("refuses %s", async (_name, text, why) => {
    await expect(parseSpec(text, "yaml")).rejects.toThrow(why);
  });

  it("refuses JSON with a key twice", async () => {
    await expect(parseSpec('{"kind":"a/b","kind":"a/c"}', "json")).rejects.toThrow(/stands twice/);
  });

  it("never lets anything through but a specification or an error with a code", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        const failure = await parseSpec(text, "yaml").then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failure).toMatchObject({ code: "E_CDI_SPEC" });
      }),
      { numRuns: 200 },
    );
  });

  it("reads the same from JSON and from YAML, which JSON is", async () => {
    const name = fc.stringMatching(/^[a-z](?:[a-z0-9_.:-]{0,9}[a-z0-9])?$/);
    const edits = fc.record({
      env: fc.array(
        fc.string({ unit: "grapheme" }).map((text) => `K=${text}`),
        { minLength: 1 },
      ),
    });
    const devices = fc.uniqueArray(fc.record({ name, containerEdits: edits }), {
      minLength: 1,
      selector: (one) => one.name,
    });
    await fc.assert(
      fc.asyncProperty(devices, async (list) => {
        const text = JSON.stringify({ ...PLAIN, devices: list });
        expect(await parseSpec(text, "yaml")).toEqual(await parseSpec(text, "json"));
      }),
      { numRuns: 100 },
    );
  });
});
