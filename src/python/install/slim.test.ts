// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { SLIM_RULES, slimRules } from "./slim.ts";

const LIBRARY = "usr/local/lib/python3.11/site-packages";

const GOES: readonly (readonly [string, string])[] = [
  ["static-libraries", "torch/lib/libx.a"],
  ["headers", "torch/include/ATen/ATen.h"],
  ["headers", "nvidia/cuda_runtime/include/cuda.h"],
  ["debug-symbols", "pkg/module.pdb"],
  ["debug-symbols", "pkg/module.so.dSYM/Contents/Info.plist"],
  ["sources", "pkg/_speedups.pyx"],
  ["sources", "pkg/kernels/add.cu"],
  ["tests", "numpy/tests/test_x.py"],
  ["tests", "sklearn/linear_model/tests/data/x.csv"],
];
const STAYS: readonly string[] = [
  "numpy/__init__.py",
  "numpy/testing/__init__.py",
  "pkg/data.csv",
  "pkg/lib.so",
  "pkg/include/readme.txt",
  "other/tests/test_x.py",
  "pkg/alpha",
  "pkg-1.0.dist-info/RECORD",
];

describe("slimRules", () => {
  it.each(GOES)("%s leaves out %s, and no other rule does", (rule, path) => {
    for (const { name } of SLIM_RULES) expect(slimRules([name])(`${LIBRARY}/${path}`)).toBe(name === rule);
  });

  it.each(STAYS)("all rules leave %s", (path) => {
    expect(slimRules(SLIM_RULES.map(({ name }) => name))(`${LIBRARY}/${path}`)).toBe(false);
  });

  it("nothing outside the library goes", () => {
    const leavesOut = slimRules(SLIM_RULES.map(({ name }) => name));
    for (const path of ["usr/lib/libx.a", "usr/include/x.h", "app/numpy/tests/x.py"])
      expect(leavesOut(path)).toBe(false);
  });

  it("an unknown rule is refused with a suggestion", () => {
    expect(() => slimRules(["header"])).toThrow(
      expect.objectContaining({ code: "E_USAGE", hint: "did you mean `headers`" }),
    );
    expect(slimRules([])("x.a")).toBe(false);
  });
});
