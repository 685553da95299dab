// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { TreeView } from "../store/index.ts";
import { deletions } from "./uninstall-step.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true });
});

/** A root file system of these files; RECORD lists what follows its name. */
function treeOf(files: readonly string[], records: Readonly<Record<string, readonly string[]>>): TreeView {
  const tree = fs.mkdtempSync(join(tmpdir(), "tare-uninstall-"));
  folders.push(tree);
  const put = (path: string, text: string): void => {
    fs.mkdirSync(dirname(join(tree, path)), { recursive: true });
    fs.writeFileSync(join(tree, path), text);
  };
  for (const path of files) put(path, "");
  for (const [info, rows] of Object.entries(records)) put(`${info}/RECORD`, rows.map((row) => `${row},,\n`).join(""));
  const layer = { tree, opaque: [], hasXattrs: false, link: "", size: 0, contentSize: 0, entries: 0, whiteouts: 0 };
  return new TreeView([{ ...layer, diffId: "sha256:" } as never]);
}

const INFO = "lib/foo-1.dist-info";

describe("an uninstall", () => {
  it("deletes what RECORD lists, what was compiled of it, and folders that are empty then", () => {
    const files = [
      "lib/foo/a.py",
      "lib/foo/__pycache__/a.cpython-311.pyc",
      "lib/other.py",
      "bin/foo",
      "bin/sh",
      `${INFO}/INSTALLER`,
    ];
    const tree = treeOf(files, { [INFO]: ["foo/a.py", "../bin/foo", "foo-1.dist-info/RECORD"] });
    expect(deletions(tree, [INFO])).toEqual(["bin/foo", "lib/foo", INFO]);
  });

  it("leaves what it does not own", () => {
    const files = ["lib/shared/a.py", "lib/shared/b.py", "lib/shared/__pycache__/b.cpython-311.pyc", "lib/ab.py"];
    const tree = treeOf(files, { [INFO]: ["shared/a.py", "gone.py", "a.py"] });
    expect(deletions(tree, [INFO])).toEqual([INFO, "lib/shared/a.py"]);
  });

  it("never leaves the root, and keeps the library folder", () => {
    const tree = treeOf(["lib/foo.py", "etc/passwd"], { [INFO]: ["foo.py", "../../../etc/shadow", "/etc/nothing"] });
    expect(deletions(tree, [INFO])).toEqual([INFO, "lib/foo.py"]);
  });

  it("takes several out at once", () => {
    const bar = "lib/bar-2.dist-info";
    const tree = treeOf(["lib/ns/foo.py", "lib/ns/bar.py"], { [INFO]: ["ns/foo.py"], [bar]: ["ns/bar.py"] });
    expect(deletions(tree, [INFO, bar])).toEqual([bar, INFO, "lib/ns"]);
  });

  it("refuses a distribution without RECORD", () => {
    const tree = treeOf([`${INFO}/METADATA`], {});
    expect(() => deletions(tree, [INFO])).toThrow(
      expect.objectContaining({ code: "E_UNINSTALL", hint: expect.any(String) }),
    );
  });
});
