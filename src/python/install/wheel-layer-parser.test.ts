// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../base/index.ts";
import { parseWheelLayer } from "./wheel-layer-parser.ts";

type Json = Record<string, unknown>;

const PLACE = "/usr/local/lib/python3.11/site-packages";
const SCHEME: Json = {
  purelib: PLACE,
  platlib: PLACE,
  scripts: "/usr/bin",
  headers: "/usr/include",
  data: "/usr/local",
};
const SETTINGS: Json = { scheme: SCHEME, executable: "/usr/bin/python3", python: "3.11.2", slim: ["tests"] };
const WHEEL: Json = {
  name: "demo",
  version: "1.0",
  fileName: "demo-1.0-py3-none-any.whl",
  digest: digestOf("wheel"),
  isRequested: true,
  direct: { url: "file:///demo" },
  bytecode: digestOf("pack"),
};
const GOOD: Json = {
  key: digestOf("key"),
  wheels: [WHEEL],
  settings: SETTINGS,
  bytecode: "imported",
  leftOut: [{ rule: "tests", files: 2, size: 10 }],
};
const withWheel = (change: Json): Json => ({ ...GOOD, wheels: [{ ...WHEEL, ...change }] });
const withSettings = (change: Json): Json => ({ ...GOOD, settings: { ...SETTINGS, ...change } });

describe("the note of a layer of wheels from outside", () => {
  const good: Readonly<Record<string, Json>> = {
    "all of it": GOOD,
    "without what is optional": {
      key: digestOf("key"),
      wheels: [{ ...WHEEL, direct: undefined, bytecode: undefined }],
      settings: { ...SETTINGS, slim: [] },
      bytecode: "none",
    },
    "as uv installs": withSettings({ installer: "uv" }),
    "folders that are links": withSettings({ scheme: { ...SCHEME, links: { "/usr/local/man": "/usr/share/man" } } }),
  };
  it.each(Object.entries(good))("is taken as it is: %s", (_name, note) => {
    const value: unknown = JSON.parse(JSON.stringify(note));
    expect(parseWheelLayer(value)).toEqual(value);
  });

  const bad: Readonly<Record<string, unknown>> = {
    "no object": [],
    "an installer that is not known": withSettings({ installer: "other" }),
    "no key": { ...GOOD, key: undefined },
    "a key that is no digest": { ...GOOD, key: "sha256:x" },
    "no wheels": { ...GOOD, wheels: [] },
    "a wheel that is no object": { ...GOOD, wheels: ["demo"] },
    "wheels beyond number": { ...GOOD, wheels: Array.from({ length: 10_001 }, () => WHEEL) },
    "a wheel in another folder": withWheel({ fileName: "../demo-1.0-py3-none-any.whl" }),
    "a wheel that is a source": withWheel({ fileName: "demo-1.0.tar.gz" }),
    "a wheel without a digest": withWheel({ digest: undefined }),
    "compiled modules that are no digest": withWheel({ bytecode: "x" }),
    "a name with a line feed": withWheel({ name: "de\nmo" }),
    "an origin that is no object": withWheel({ direct: "x" }),
    "something unknown of a wheel": withWheel({ extra: 1 }),
    "another policy": { ...GOOD, bytecode: "some" },
    "no settings": { ...GOOD, settings: undefined },
    "an interpreter beside the image": withSettings({ executable: "/usr/bin/../../bin/sh" }),
    "an interpreter without a folder": withSettings({ executable: "python3" }),
    "a folder that leads up": withSettings({ scheme: { ...SCHEME, purelib: "/usr/../etc" } }),
    "a missing folder": withSettings({ scheme: { ...SCHEME, data: undefined } }),
    "a rule that is no text": withSettings({ slim: [1] }),
    "a claim that calls itself none": { ...GOOD, isClaim: false },
    "a negative count": { ...GOOD, leftOut: [{ rule: "tests", files: -1, size: 1 }] },
  };
  it.each(Object.entries(bad))("is not taken with %s", (_name, note) => {
    expect(parseWheelLayer(note)).toBeUndefined();
  });

  it("is the value itself or nothing, whatever comes", () => {
    const member = fc.constantFrom(...Object.keys(GOOD), ...Object.keys(WHEEL), ...Object.keys(SETTINGS));
    fc.assert(
      fc.property(fc.dictionary(member, fc.jsonValue()), (changes) => {
        const value: unknown = JSON.parse(JSON.stringify({ ...GOOD, ...changes }));
        const parsed = parseWheelLayer(value);
        if (parsed !== undefined) expect(parsed).toEqual(value);
      }),
    );
  });
});
