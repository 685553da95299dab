// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { folderTree } from "../../../test/support/tree.ts";
import { specialFolder, withLinks } from "./scheme-folders.ts";

const SCHEME = {
  purelib: "/opt/venv/lib/python3.11/site-packages",
  platlib: "/opt/venv/lib64/python3.11/site-packages",
  scripts: "/opt/venv/bin",
  headers: "/opt/venv/include/site/python3.11",
  data: "/opt/venv",
};

const folder = fs.mkdtempSync(join(tmpdir(), "scheme-"));
const at = (path: string): string => join(folder, path);
afterAll(() => fs.rmSync(folder, { recursive: true }));

beforeEach(() => {
  fs.rmSync(at("opt"), { recursive: true, force: true });
  for (const path of ["lib/python3.11/site-packages", "bin", "share/man"]) {
    fs.mkdirSync(at(`opt/venv/${path}`), { recursive: true });
  }
});

describe("withLinks", () => {
  it("adds nothing where there is no link", () => {
    expect(withLinks(folderTree(folder), SCHEME)).toBe(SCHEME);
  });

  it("finds links to folders among and below the scheme's folders", () => {
    fs.symlinkSync("lib", at("opt/venv/lib64"));
    fs.symlinkSync("share/man", at("opt/venv/man"));
    fs.symlinkSync("nowhere", at("opt/venv/gone"));
    const { links } = withLinks(folderTree(folder), SCHEME);
    expect(links).toEqual({ "/opt/venv/lib64": "/opt/venv/lib", "/opt/venv/man": "/opt/venv/share/man" });
  });

  it("finds a link above them", () => {
    fs.renameSync(at("opt/venv"), at("opt/real"));
    fs.symlinkSync("real", at("opt/venv"));
    expect(withLinks(folderTree(folder), SCHEME).links).toMatchObject({ "/opt/venv": "/opt/real" });
  });
});

describe.skipIf(process.getuid?.() !== 0)("specialFolder", () => {
  it.each([
    ["a mode", "opt/venv/bin", (path: string) => fs.chmodSync(path, 0o2775)],
    ["an owner", "opt/venv/lib/python3.11", (path: string) => fs.chownSync(path, 0, 50)],
    ["a private folder", "opt/venv/share", (path: string) => fs.chmodSync(path, 0o700)],
  ])("finds %s", (_name, path, change) => {
    expect(specialFolder(folderTree(folder), SCHEME)).toBeUndefined();
    change(at(path));
    expect(specialFolder(folderTree(folder), SCHEME)).toBe(`/${path}`);
  });
});
