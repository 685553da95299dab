// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWheel } from "../../../test/support/wheel-fixture.ts";
import { openZip } from "../../archive/index.ts";
import { planOf } from "./layer-files.ts";
import { leftOutOf, sumLeftOut } from "./slim-report.ts";
import { SLIM_RULES, chooseSlim, findCompiler, slimRules } from "./slim.ts";
import type { CompilerFacts } from "./slim.ts";

const LIBRARY = "usr/local/lib/python3.11/site-packages";

const GOES: readonly (readonly [string, string])[] = [
  ["static-libraries", "torch/lib/libx.a"],
  ["headers", "torch/include/ATen/ATen.h"],
  ["headers", "nvidia/cuda_runtime/include/cuda.h"],
  ["headers", "numpy/_core/include/numpy/random/LICENSE.h"],
  ["debug-symbols", "pkg/module.so.debug"],
  ["debug-symbols", "pkg/module.so.1.2.debug"],
  ["debug-symbols", "pkg/module.so.dSYM/Contents/Info.plist"],
  ["sources", "scipy/special/_ufuncs.pyx"],
  ["sources", "sklearn/svm/src/libsvm/svm.cpp"],
  ["tests", "numpy/tests/test_x.py"],
  ["tests", "sklearn/linear_model/tests/data/x.csv"],
];
/** What looks like the files of the rules and is read by programs. */
const STAYS: readonly string[] = [
  "numpy/__init__.py",
  "numpy/testing/__init__.py",
  "numpy/tests.py",
  "pkg/data.csv",
  "pkg/lib.so",
  "numpy/include/readme.txt",
  "other/tests/test_x.py",
  "pkg/alpha.a",
  "openmm/app/data/protein.pdb",
  "Cython/Utility/Buffer.c",
  "triton/backends/nvidia/driver.c",
  "triton/backends/nvidia/include/cuda.h",
  "warp/native/builtin.h",
  "warp/native/add.cu",
  "cupy/_core/include/cupy/complex.cuh",
  "pyarrow/_fs.pxd",
  "numpy-1.0.dist-info/RECORD",
];

describe("slimRules", () => {
  it.each(GOES)("%s leaves out %s, and no other rule does", (rule, path) => {
    for (const { name } of SLIM_RULES) expect(slimRules([name])(`${LIBRARY}/${path}`)).toBe(name === rule);
    expect(slimRules(["all"])(`${LIBRARY}/${path}`)).toBe(true);
  });

  it.each(STAYS)("all rules leave %s", (path) => {
    expect(slimRules(["all"])(`${LIBRARY}/${path}`)).toBe(false);
  });

  it("nothing outside the library goes", () => {
    const leavesOut = slimRules(["all"]);
    for (const path of ["usr/lib/libx.a", "usr/include/x.h", "app/numpy/tests/x.py"])
      expect(leavesOut(path)).toBe(false);
  });

  it("an unknown rule is refused with a suggestion", () => {
    expect(() => slimRules(["header"])).toThrow(
      expect.objectContaining({ code: "E_USAGE", hint: "did you mean `headers`?" }),
    );
    expect(slimRules([])("x.a")).toBe(false);
  });
});

describe("the rules for an image", () => {
  const facts: CompilerFacts = { programs: ["sh", "python3", "ld.so", "ldd"], distributions: ["numpy", "torch"] };
  const forCompilers = ["static-libraries", "headers", "sources"];

  it("are all where nothing compiles", () => {
    expect(chooseSlim(["all"], facts)).toEqual({ rules: SLIM_RULES.map(({ name }) => name).toSorted(), heldBack: [] });
    expect(chooseSlim([], facts)).toEqual({ rules: [], heldBack: [] });
  });

  it.each<[string, CompilerFacts]>([
    ["`gcc-12` is in the image", { ...facts, programs: ["sh", "gcc-12"] }],
    ["`x86_64-linux-gnu-g++` is in the image", { ...facts, programs: ["x86_64-linux-gnu-g++"] }],
    ["`nvcc` is in the image", { ...facts, programs: ["nvcc"] }],
    ["`ld.bfd` is in the image", { ...facts, programs: ["ld.bfd"] }],
    ["cupy-cuda12x compiles while it runs", { ...facts, distributions: ["cupy-cuda12x"] }],
    ["nvidia-cuda-nvrtc-cu12 compiles while it runs", { ...facts, distributions: ["nvidia-cuda-nvrtc-cu12"] }],
    ["warp-lang compiles while it runs", { ...facts, distributions: ["warp-lang"] }],
    ["the system package build-essential may bring a compiler", { ...facts, packages: ["build-essential"] }],
    ["the system package python3-dev may bring a compiler", { ...facts, packages: ["libgl1", "python3-dev"] }],
  ])("are without those for compilers when %s", (reason, image) => {
    expect(chooseSlim(["all"], image)).toEqual({ rules: ["debug-symbols", "tests"], heldBack: forCompilers, reason });
  });

  it("apply anyway when they are asked for by name", () => {
    const image = { ...facts, programs: ["gcc"] };
    expect(chooseSlim(["headers"], image)).toEqual({ rules: ["headers"], heldBack: [] });
    expect(chooseSlim(["all", "headers"], image)).toMatchObject({ rules: ["debug-symbols", "headers", "tests"] });
    expect(() => chooseSlim(["nothing"], image)).toThrow(expect.objectContaining({ code: "E_USAGE" }));
  });

  it.each(["libgl1", "ffmpeg", "git", "nvidia-utils"])("do not mind the system package %s", (name) => {
    expect(findCompiler({ ...facts, packages: [name] })).toBeUndefined();
  });
});

describe("what is left out of a wheel", () => {
  let folder = "";
  beforeAll(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "tare-slim-"));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  const settings = (slim: readonly string[]): Parameters<typeof planOf>[2] => ({
    scheme: {
      purelib: `/${LIBRARY}`,
      platlib: `/${LIBRARY}`,
      scripts: "/usr/local/bin",
      headers: "/usr/include",
      data: "/usr",
    },
    executable: "/usr/bin/python3",
    python: "3.11.2",
    slim,
  });

  it("is counted by rule, once, and not in RECORD", () => {
    const files = {
      "numpy/__init__.py": "import x\n",
      "numpy/tests/test_a.py": "12345",
      "numpy/tests/helper.c": "67",
      "numpy/core.c": "890",
      "numpy/lib/libx.a": "a",
    };
    const { fileName, bytes } = makeWheel({ name: "numpy", files });
    const wheel = { file: join(folder, fileName), fileName, isRequested: false };
    fs.writeFileSync(wheel.file, bytes);
    const all = settings(["sources", "static-libraries", "tests"]);
    expect(leftOutOf([wheel], all)).toEqual([
      { rule: "tests", files: 2, size: 7 },
      { rule: "sources", files: 1, size: 3 },
      { rule: "static-libraries", files: 1, size: 1 },
    ]);
    expect(leftOutOf([wheel], settings([]))).toEqual([]);
    const zip = openZip(wheel.file);
    const planned = planOf(zip, wheel, all).files;
    zip.close();
    const record = planned.find(({ path }) => path.endsWith("/RECORD"))?.bytes?.toString() ?? "";
    const listed = record
      .split("\n")
      .flatMap((line) => (line === "" ? [] : [`${LIBRARY}/${line.split(",")[0] ?? ""}`]));
    expect(listed.toSorted()).toEqual(planned.map(({ path }) => path).toSorted());
    expect(record).not.toMatch(/tests|\.c,|\.a,/);
  });

  it("adds up", () => {
    const rows = [
      { rule: "a", files: 1, size: 1 },
      { rule: "b", files: 2, size: 9 },
      { rule: "a", files: 3, size: 2 },
    ];
    expect(sumLeftOut(rows)).toEqual([
      { rule: "b", files: 2, size: 9 },
      { rule: "a", files: 4, size: 3 },
    ]);
  });
});
