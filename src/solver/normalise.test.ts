// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { normaliseTimes } from "./normalise.ts";

const NOW = 1_700_000_000;
const EPOCH = 1_000_000_000;
const clamp = { after: NOW - 10, to: EPOCH };

let root: string;
const at = (path: string): string => join(root, path);
const seconds = (path: string): number => Math.floor(fs.lstatSync(at(path)).mtimeMs / 1000);

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-times-"));
  fs.mkdirSync(at("pkg/__pycache__"), { recursive: true });
  fs.writeFileSync(at("pkg/mod.py"), "x = 1\n");
  fs.writeFileSync(at("old"), "");
  fs.symlinkSync("/etc/passwd", at("link"));
  fs.utimesSync(at("old"), 5, 5);
  for (const path of ["pkg/mod.py", "link"]) fs.lutimesSync(at(path), NOW, NOW);
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

/** PEP 552: magic, flags, time of the source, size of the source. */
function compiled(name: string, flags: number, time: number): void {
  const header = Buffer.alloc(20);
  for (const [index, value] of [0x0a0d0df3, flags, time, 6].entries()) header.writeUInt32LE(value, index * 4);
  fs.writeFileSync(at(`pkg/__pycache__/${name}`), header);
}

const timeIn = (name: string): number => fs.readFileSync(at(`pkg/__pycache__/${name}`)).readUInt32LE(8);

describe("times in a layer that a step made", () => {
  it("are set back where the step wrote, and only there", () => {
    const outside = fs.statSync("/etc/passwd").mtimeMs;
    normaliseTimes(root, clamp);
    expect(["pkg", "pkg/mod.py", "pkg/__pycache__", "link", "old"].map(seconds)).toEqual([
      EPOCH,
      EPOCH,
      EPOCH,
      EPOCH,
      5,
    ]);
    expect(fs.statSync("/etc/passwd").mtimeMs).toBe(outside);
  });

  it.each([
    ["mod.cpython-311.pyc", 0, NOW, EPOCH],
    ["mod.cpython-311.opt-1.pyc", 0, NOW, EPOCH],
    ["mod.cpython-311.pyc", 0, NOW - 1, NOW - 1],
    ["mod.cpython-311.pyc", 1, NOW, NOW],
    ["nosource.cpython-311.pyc", 0, NOW, NOW],
    ["mod.pyc", 0, NOW, NOW],
  ])("%s with flags %d and time %d says %d", (name, flags, time, wanted) => {
    compiled(name, flags, time);
    normaliseTimes(root, clamp);
    expect(timeIn(name)).toBe(wanted);
  });

  it("leave a truncated compiled file and a link alone", () => {
    fs.writeFileSync(at("pkg/__pycache__/mod.short.pyc"), "x");
    fs.symlinkSync("/etc/passwd", at("pkg/__pycache__/mod.link.pyc"));
    normaliseTimes(root, clamp);
    expect(fs.readFileSync(at("pkg/__pycache__/mod.short.pyc"), "utf8")).toBe("x");
  });
});
