// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatMarker, parseMarker } from "../python/index.ts";
import { withExtras } from "./marker-extras.ts";
import { pipfilePins, poetryPins } from "./lock-pins.ts";
import type { PinsWanted } from "./lock-pins.ts";

/** Written by Poetry 2.5.1 and Pipenv 2026.10.3. */
const POETRY = readFileSync(join(import.meta.dirname, "testdata/poetry.lock"), "utf8");
const PIPFILE = readFileSync(join(import.meta.dirname, "testdata/Pipfile.lock"), "utf8");

const wanted = (more: Partial<PinsWanted> = {}): PinsWanted => ({ extras: [], groups: [], ...more });
const short = (lines: readonly string[]): readonly string[] => lines.map((line) => line.replaceAll(/ --hash=\S+/g, ""));

describe("poetry.lock", () => {
  const main = [
    "--extra-index-url https://index.example/simple",
    'click==8.1.8 ; python_version < "3.11"',
    'click==8.5.1 ; python_version >= "3.11"',
    'colorama==0.4.6 ; python_version < "3.11" and platform_system == "Windows"',
    'typing-extensions==4.12.2 ; python_version < "3.11"',
    'typing-extensions==4.16.0 ; python_version >= "3.11"',
  ];

  it("is its main group, with hashes and the index that it names", () => {
    expect(short(poetryPins(POETRY, wanted()))).toEqual(main);
    expect(poetryPins(POETRY, wanted())[1]).toMatch(/( --hash=sha256:[0-9a-f]{64}){2}$/);
  });

  it("has extras and groups that are wanted", () => {
    const viz = poetryPins(POETRY, wanted({ extras: ["viz"] }));
    expect(short(viz).filter((line) => !main.includes(line))).toEqual(["six==1.17.0"]);
    const dev = poetryPins(POETRY, wanted({ groups: ["dev"] }));
    expect(short(dev).filter((line) => !main.includes(line))).toEqual([
      'iniconfig==2.1.0 ; python_version < "3.11"',
      'iniconfig==2.3.1 ; python_version >= "3.11"',
    ]);
  });

  it("of older versions tells extras by their names alone", () => {
    const old = `[[package]]\nname = "a"\nversion = "1"\ncategory = "main"\noptional = true\n[package.dependencies]\nB_b = "*"\n
[[package]]\nname = "b-b"\nversion = "2"\ncategory = "main"\noptional = true\n
[[package]]\nname = "c"\nversion = "3"\ncategory = "dev"\noptional = false\n
[extras]\nX = ["a (>=1)"]\n`;
    expect(poetryPins(old, wanted())).toEqual([]);
    expect(poetryPins(old, wanted({ extras: ["x"], groups: ["dev"] }))).toEqual(["a==1", "b-b==2", "c==3"]);
  });

  it.each([
    [
      'type = "git"\nurl = "https://h/a.git"\nreference = "main"\nresolved_reference = "0123abc"\nsubdirectory = "py"',
      "git+https://h/a.git@0123abc#subdirectory=py",
    ],
    ['type = "url"\nurl = "https://h/a.whl"', `https://h/a.whl --hash=sha256:${"0".repeat(64)}`],
    ['type = "directory"\nurl = "libs/a"', undefined],
  ])("has packages from other places: %s", (source, place) => {
    const files = `files = [{file = "a.whl", hash = "sha256:${"0".repeat(64)}"}]`;
    const text = `[[package]]\nname = "a"\nversion = "1"\noptional = false\n${files}\n[package.source]\n${source}\n`;
    expect(poetryPins(text, wanted())).toEqual([place === undefined ? "./libs/a" : `a @ ${place}`]);
  });

  it("must be TOML", () => {
    expect(() => poetryPins("{", wanted())).toThrow(expect.objectContaining({ code: "E_LOCK" }));
  });
});

describe("Pipfile.lock", () => {
  it("is `default`, also what the locking machine had no version for", () => {
    expect(short(pipfilePins(PIPFILE, wanted()))).toEqual([
      "click==8.5.1 ; python_version >= '3.10'",
      "colorama ; sys_platform == 'win32'",
    ]);
    expect(short(pipfilePins(PIPFILE, wanted({ groups: ["dev"] })))).toContain(
      "iniconfig==2.3.1 ; python_version >= '3.10'",
    );
  });

  it.each([
    [{ git: "https://h/a.git", ref: "0123abc" }, "a @ git+https://h/a.git@0123abc"],
    [{ file: "https://h/a.whl" }, "a @ https://h/a.whl"],
    [{ path: "./libs/a", editable: true }, "-e ./libs/a"],
  ])("has packages from other places: %j", (entry, line) => {
    expect(pipfilePins(JSON.stringify({ default: { A: entry } }), wanted())).toEqual([line]);
  });

  it.each(["[", '{"default": {"a": {}}}'])("is refused: %s", (text) => {
    expect(() => pipfilePins(text, wanted())).toThrow(expect.objectContaining({ code: "E_LOCK" }));
  });
});

describe("a marker with known extras", () => {
  it.each<[string, readonly string[], string | boolean]>([
    ['extra == "viz"', [], false],
    ['extra == "Viz_"', ["viz-"], true],
    ['extra != "viz"', [], true],
    ['"viz" == extra', ["viz"], true],
    ['python_version < "3.9" and extra == "viz"', ["viz"], 'python_version < "3.9"'],
    ['python_version < "3.9" and extra == "viz"', [], false],
    ['python_version < "3.9" or extra == "viz"', [], 'python_version < "3.9"'],
    ['python_version < "3.9" or extra == "viz"', ["viz"], true],
    [
      'os_name == "nt" and (python_version < "3.9" or extra == "viz")',
      [],
      'os_name == "nt" and python_version < "3.9"',
    ],
  ])("`%s` with %j", (text, extras, expected) => {
    const found = withExtras(parseMarker(text), extras);
    expect(typeof found === "boolean" ? found : formatMarker(found)).toBe(expected);
  });
});
