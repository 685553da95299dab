// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { buildHint } from "./build-wheel-hint.ts";

/** What builds print, as seen with setuptools, Meson, CMake, maturin and setuptools_scm. */
const OUTPUTS: readonly (readonly [output: string, reason: string, hint: RegExp])[] = [
  [
    "error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory",
    "there is no C compiler",
    /build-packages = \["build-essential", "python3-dev"\]/,
  ],
  ["unable to execute 'gcc': No such file or directory", "there is no C compiler", /build-essential/],
  ["meson.build:1:0: ERROR: Unknown compiler(s): [['cc'], ['gcc'], ['clang']]", "there is no C compiler", /build-/],
  ["CMake Error: No CMAKE_CXX_COMPILER could be found.", "there is no C compiler", /build-essential/],
  ["x.c:1:10: fatal error: Python.h: No such file or directory", "the headers of Python are missing", /python3-dev/],
  ["x.c:1:10: fatal error: ffi.h: No such file or directory", "`ffi.h` is missing", /its name ends in -dev/],
  ["error: can't find Rust compiler", "there is no Rust compiler", /"cargo"/],
  [
    "LookupError: setuptools-scm was unable to detect version for /tmp",
    "git is missing, which tells the version",
    /"git"/,
  ],
  ["Error: pg_config executable not found.", "pg_config is missing", /libpq-dev/],
  [
    "Traceback\n  File x\nModuleNotFoundError: No module named 'numpy'\nerror: The build backend returned an error",
    "uv build failed: ModuleNotFoundError: No module named 'numpy'",
    /choose a version that has a wheel/,
  ],
  ["", "uv build failed", /its output is above/],
];

it.each(OUTPUTS)("reads %j", (output, reason, hint) => {
  const found = buildHint(output, []);
  expect(found.reason).toBe(reason);
  expect(found.hint).toMatch(hint);
});

it("keeps the packages that are there, and does not advise what was given", () => {
  expect(buildHint("fatal error: Python.h: No such file", ["libffi-dev"]).hint).toContain(
    'build-packages = ["libffi-dev", "build-essential", "python3-dev"]',
  );
  const all = ["build-essential", "python3-dev"];
  expect(buildHint("error: command 'gcc' failed: No such file or directory", all).hint).not.toContain("set `build-");
});
