// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { CONFIG_KEYS, readConfig } from "./config.ts";

const FILE = "[tool.tare] of pyproject.toml";

it("takes every key that the documentation has", () => {
  const table = {
    base: "python:3.12-slim",
    python: "3.12",
    packages: ["libgomp1", "libpq5=15.*"].slice(0, 1),
    "build-packages": ["build-essential"],
    entrypoint: ["python"],
    command: "python x.py && true",
    user: "root",
    env: { A: "1", B: 2, C: true },
    labels: { a: "b" },
    expose: [8000, "53/udp"],
    include: ["data/small.csv"],
    exclude: ["data"],
    extras: ["gpu"],
    groups: ["prod"],
    accelerator: "cpu",
    layers: 20,
    bytecode: "all",
    slim: ["tests"],
    gpu: { targets: { cluster: "driver=535,sm=70" }, check: "error" },
    package: false,
  };
  expect(Object.keys(table).sort()).toEqual([...CONFIG_KEYS].sort());
  expect(readConfig(table, undefined, FILE)).toMatchObject({
    command: ["/bin/sh", "-c", "python x.py && true"],
    env: { A: "1", B: "2", C: "true" },
    expose: ["8000", "53/udp"],
    isPackage: false,
    gpu: { targets: { cluster: "driver=535,sm=70" }, check: "error" },
  });
});

const BAD: readonly (readonly [table: Readonly<Record<string, unknown>>, message: string, hint: string])[] = [
  [{ pyhton: "3.11" }, "unknown key `pyhton`", "did you mean `python`"],
  [{ whatever: 1 }, "unknown key `whatever`", "keys: base, python"],
  [{ python: 3.11 }, "`python` is not a string", 'write python = "…"'],
  [{ python: "2.7" }, "`python` is not a version of Python 3", 'write python = "3.11"'],
  [{ packages: "curl" }, "`packages` is not a list of strings", 'write packages = ["…"]'],
  [{ packages: ["curl; rm -rf /"] }, "`packages` has `curl; rm -rf /`, which is no Debian package", "libgomp1"],
  [{ command: 1 }, "`command` is not a list of strings", 'write command = ["…"]'],
  [{ env: ["A=1"] }, "`env` is not a table of strings", "write [tool.tare.env]"],
  [{ expose: ["http"] }, "`expose` has `http`, which is no port", "write expose = [8000]"],
  [{ layers: 0 }, "`layers` is not a number from 1 to 100", "write layers = 48"],
  [{ bytecode: true }, "`bytecode` is none of imported, all, none", "imported"],
  [{ gpu: "all" }, "`gpu` is not a table", "[tool.tare.gpu.targets]"],
  [{ gpu: { target: {} } }, "unknown key `gpu.target`", "did you mean `targets`"],
  [{ gpu: { targets: { a: ["x"] } } }, "`gpu.targets` is not a table of strings", "write [tool.tare.gpu.targets]"],
  [{ gpu: { check: true } }, "`gpu.check` is none of error, warn, off", 'write check = "warn"'],
  [{ package: "no" }, "`package` is neither true nor false", "write package = false"],
];

it.each(BAD)("refuses %j", (table, message, hint) => {
  expect(() => readConfig(table, undefined, FILE)).toThrow(
    expect.objectContaining({
      code: "E_CONFIG",
      message: `reading ${FILE}: ${message}`,
      hint: expect.stringContaining(hint),
    }),
  );
});

it("lays a target over what stands above it", () => {
  const table = { user: "root", env: { A: "1" }, targets: { test: { command: ["pytest"], groups: ["test"] } } };
  expect(readConfig(table, "test", FILE)).toMatchObject({ user: "root", command: ["pytest"], groups: ["test"] });
  expect(readConfig(table, undefined, FILE).command).toBeUndefined();
});

it("names the targets when there is none of a name", () => {
  expect(() => readConfig({ targets: { test: {} } }, "tset", FILE)).toThrow(
    expect.objectContaining({ code: "E_CONFIG", hint: "did you mean `test`" }),
  );
});
