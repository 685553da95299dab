// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTareError } from "../../base/index.ts";
import type { PythonTarget } from "../types.ts";
import { evaluateMarker, markerEnvironment } from "./marker-evaluation.ts";
import { formatMarker, parseMarker } from "./markers.ts";
import type { Marker, MarkerVariable } from "./types.ts";

const TARGET: PythonTarget = {
  implementation: "cpython",
  version: "3.11.2",
  architecture: "amd64",
  libc: { kind: "glibc", version: "2.36" },
  executable: "/usr/local/bin/python3.11",
  scheme: { purelib: "/p", platlib: "/p", scripts: "/s", headers: "/h", data: "/d" },
};

const ENVIRONMENT = { ...markerEnvironment(TARGET), extra: "dev-x", extras: ["Dev_X"], dependency_groups: ["lint"] };

const VALUES: readonly (readonly [string, boolean])[] = [
  ['python_version < "3.9"', false],
  ["python_version >= '3.9'", true],
  ['python_version > "3.9" and python_version < "3.12"', true],
  ['"3.9" < python_version', true],
  ['python_version in "3.8 3.9"', false],
  ['python_version in "3.8 3.11"', true],
  ['python_version not in "3.8 3.9"', true],
  ['python_version == "3.*"', true],
  ['python_version ~= "3.8"', true],
  ['python_full_version == "3.11.2"', true],
  ['python_full_version < "3.11.10"', true],
  ['sys_platform == "linux" or os_name == "nt" and python_version < "3"', true],
  ['(sys_platform == "linux" or os_name == "nt") and python_version < "3"', false],
  ['os.name == "posix" and python_implementation == "CPython"', true],
  ['platform_machine == "x86_64"', true],
  ['platform_system=="Linux"and(platform_release=="")', true],
  ['implementation_name === "CPYTHON"', true],
  ['extra == "dev_x"', true],
  ["extra == 'Dev.X'", true],
  ['extra != "other"', true],
  ['"dev_x" in extras', true],
  ['"b" not in extras', true],
  ['"Lint" in dependency_groups', true],
  ['platform_version >= "x"', false],
  [`sys_platform == 'li"nux'`, false],
];

const BAD: readonly (readonly [string, RegExp])[] = [
  ["", /marker variable or a quoted string/],
  ["python_version", /an operator/],
  ["python_version = '3'", /an operator/],
  ["python_version < 3.9", /a quoted string/],
  ["pyton_version < '3.9'", /column 1/],
  ["python_version < '3.9' and", /its end/],
  ["python_version < '3.9' xor os_name == 'x'", /`and`, `or` or the end/],
  ["(python_version < '3.9'", /`\)`/],
  ["python_version < '3.9", /column 18/],
  ["extras == 'a'", /in extras/],
  ["os_name notin 'a'", /an operator/],
  ["(".repeat(100_000), /parentheses/],
];

describe("markers", () => {
  it.each(VALUES)("%s is %s", (text, value) => {
    const marker = parseMarker(text);
    expect(evaluateMarker(marker, ENVIRONMENT)).toBe(value);
    expect(parseMarker(formatMarker(marker))).toEqual(marker);
  });

  it("is false for an extra where none is asked for", () => {
    expect(evaluateMarker(parseMarker('extra == "dev"'), markerEnvironment(TARGET))).toBe(false);
    expect(evaluateMarker(parseMarker('"dev" in extras'), markerEnvironment(TARGET))).toBe(false);
  });

  it.each(BAD)("refuses `%s`", (text, reason) => {
    expect(() => parseMarker(text)).toThrow(reason);
  });

  it("suggests a variable's name", () => {
    const hint = "did you mean python_version?";
    expect(() => parseMarker("pyton_version < '3'")).toThrow(expect.objectContaining({ hint }));
  });

  it("refuses `~=` between texts", () => {
    const marker = parseMarker('sys_platform ~= "linux"');
    expect(() => evaluateMarker(marker, ENVIRONMENT)).toThrow(expect.objectContaining({ code: "E_REQUIREMENTS" }));
  });

  it("knows interpreters of other kinds", () => {
    const environment = markerEnvironment({
      ...TARGET,
      implementation: "pypy",
      architecture: "arm64",
      version: "3.15.0a1",
    });
    expect(environment).toMatchObject({
      python_version: "3.15",
      platform_machine: "aarch64",
      platform_python_implementation: "PyPy",
    });
  });

  it("format and parse are inverse", () => {
    fc.assert(
      fc.property(trees().tree, (marker) => {
        expect(parseMarker(formatMarker(marker))).toEqual(marker);
      }),
    );
  });

  it("never fails but with its own error", () => {
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^(python_version|os_name|'3'|"a"|<|==|in|not|and|or| |\(|\)){0,9}$/),
    );
    fc.assert(
      fc.property(text, (marker) => {
        try {
          evaluateMarker(parseMarker(marker), ENVIRONMENT);
        } catch (error) {
          expect(isTareError(error, "E_REQUIREMENTS")).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

function trees(): { tree: fc.Arbitrary<Marker> } {
  const name = fc.constantFrom<MarkerVariable>("python_version", "os_name", "extra");
  const compare = fc.record({
    kind: fc.constant("compare" as const),
    left: fc.record({ kind: fc.constant("variable" as const), name }),
    operator: fc.constantFrom("==" as const, "in" as const, "not in" as const, ">=" as const),
    right: fc.record({ kind: fc.constant("string" as const), value: fc.stringMatching(/^[^"]*$/) }),
  });
  return fc.letrec<{ tree: Marker }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      compare,
      fc.record({
        kind: fc.constantFrom("and" as const, "or" as const),
        parts: fc.array(tie("tree"), { minLength: 2, maxLength: 3 }),
      }),
    ),
  }));
}
