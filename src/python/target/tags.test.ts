// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { statedTarget } from "./stated-target.ts";
import { WheelChooser, machineOf, parseWheelName, supportedTags } from "./tags.ts";
import ORACLE from "./testdata/tags.json" with { type: "json" };
import type { LibC, PythonTarget } from "../types.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64", i686: "386" };

function targetOf({ version, machine, isFreeThreaded, libc }: (typeof ORACLE.targets)[number]): PythonTarget {
  const kind: LibC["kind"] = libc.kind === "musl" ? "musl" : "glibc";
  const architecture = ARCHITECTURES[machine] ?? machine;
  return { ...statedTarget({ version, architecture, libc: { kind, version: libc.version } }), isFreeThreaded };
}

describe("tags", () => {
  it.each(
    ORACLE.targets.map(
      (target) =>
        [
          `${target.version}${target.isFreeThreaded ? "t" : ""} ${target.machine} ${target.libc.kind} ${target.libc.version}`,
          target,
        ] as const,
    ),
  )("of %s are those of Python's own `packaging`, in its order", (_name, expected) => {
    const target = targetOf(expected);
    expect(machineOf(target.architecture)).toBe(expected.machine);
    const found = [...new Set(supportedTags(target))];
    const step = Math.max(1, Math.floor(expected.count / 40));
    expect(found.filter((_tag, index) => index % step === 0)).toEqual(expected.sample);
    expect(found).toHaveLength(expected.count);
    expect(createHash("sha256").update(found.join("\n")).digest("hex")).toBe(expected.sha256);
  });
});

describe("names of wheels", () => {
  it.each<[string, object]>([
    [
      "numpy-2.3.5-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
      {
        name: "numpy",
        version: "2.3.5",
        build: [],
        tags: ["cp311-cp311-manylinux_2_27_x86_64", "cp311-cp311-manylinux_2_28_x86_64"],
      },
    ],
    [
      "Some_Thing.Else-1.0.0-1a-py2.py3-none-any.whl",
      { name: "some-thing-else", build: [1, "a"], tags: ["py2-none-any", "py3-none-any"] },
    ],
    ["torch-2.9.0+cpu-cp311-cp311-linux_x86_64.whl", { version: "2.9.0+cpu" }],
    ["a-1.0_1-py3-none-any.whl", { version: "1.0.post1" }],
    ["a-not.a.version-py3-none-any.whl", { version: "not.a.version" }],
  ])("%s", (name, expected) => {
    expect(parseWheelName(name)).toMatchObject(expected);
  });

  it.each([
    "",
    "a.whl",
    "a-1.0.whl",
    "a-1.0-py3-none.whl",
    "a-1.0-x-py3-none-any.whl",
    "a b-1-py3-none-any.whl",
    "../a-1-py3-none-any.whl",
    "a-1-py3-none-any.zip",
  ])("`%s` is none", (name) => {
    expect(() => parseWheelName(name)).toThrow(expect.objectContaining({ code: "E_WHEEL_NAME" }));
  });

  it("any text is a name or is refused", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseWheelName(text).tags.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ code: "E_WHEEL_NAME" });
        }
      }),
    );
  });
});

describe("the chosen wheel", () => {
  const chooser = new WheelChooser(statedTarget({ version: "3.11", architecture: "amd64" }));
  const best = (...tags: readonly string[]): string | undefined =>
    chooser.best(tags.map((tag) => ({ fileName: `a-1-${tag}.whl` })))?.fileName.slice(4, -4);

  it.each<[readonly string[], string | undefined]>([
    [["py3-none-any", "cp311-cp311-manylinux_2_17_x86_64"], "cp311-cp311-manylinux_2_17_x86_64"],
    [["cp311-abi3-manylinux2014_x86_64", "cp311-cp311-manylinux2014_x86_64"], "cp311-cp311-manylinux2014_x86_64"],
    [["cp38-abi3-manylinux2014_x86_64", "py3-none-any"], "cp38-abi3-manylinux2014_x86_64"],
    [["1-py3-none-any", "2-py3-none-any", "10-py3-none-any"], "10-py3-none-any"],
    [["cp311-cp311-manylinux_2_37_x86_64"], undefined],
    [["cp311-cp311-musllinux_1_2_x86_64", "cp312-cp312-manylinux_2_17_x86_64", "cp39-abi3-win_amd64"], undefined],
    [["cp312-abi3-manylinux_2_17_x86_64"], undefined],
    [[], undefined],
  ])("of %j is %s", (tags, expected) => {
    expect(best(...tags)).toBe(expected);
    expect(best(...tags.toReversed())).toBe(expected);
  });

  it("is never a file that is no wheel", () => {
    expect(chooser.best([{ fileName: "a-1.tar.gz" }, { fileName: "odd.whl" }])).toBeUndefined();
  });
});
