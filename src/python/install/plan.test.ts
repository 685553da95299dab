// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openZip } from "../../archive/index.ts";
import { makeWheel, recordHash } from "../../../test/support/wheel-fixture.ts";
import type { WheelFixture } from "../../../test/support/wheel-fixture.ts";
import { planInstall } from "./plan.ts";
import { parseRecord } from "./record.ts";
import type { InstallOptions, PlannedFile } from "./plan.ts";

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-plan-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const OPTIONS: InstallOptions = {
  scheme: {
    purelib: "/usr/lib/pure",
    platlib: "/usr/lib/plat",
    scripts: "/usr/bin",
    headers: "/usr/include/python3.11",
    data: "/usr",
  },
  executable: "/usr/bin/python3.11",
  python: "3.11.2",
  isRequested: false,
};

interface Planned {
  readonly files: ReadonlyMap<string, PlannedFile>;
  /** Content by path. */
  readonly text: (path: string) => string;
  /** `path,hash,size` of RECORD, sorted. */
  readonly record: readonly string[];
}

function plan(fixture: WheelFixture, options: Partial<InstallOptions> = {}): Planned {
  const { fileName, bytes } = makeWheel(fixture);
  const path = join(folder, fileName);
  fs.writeFileSync(path, bytes);
  const zip = openZip(path);
  try {
    const { files, distInfo } = planInstall(zip, fileName, { ...OPTIONS, ...options });
    const byPath = new Map(files.map((file) => [file.path, file]));
    expect(byPath.size).toBe(files.length);
    const contents = new Map(
      files.map((file) => [file.path, file.bytes ?? (file.entry ? zip.readEntry(file.entry) : Buffer.alloc(0))]),
    );
    const rows = parseRecord(contents.get(`${distInfo}/RECORD`)?.toString() ?? "") ?? [];
    for (const row of rows) checkRow(row, distInfo, contents);
    const record = rows.map(({ path: name, hash, size }) => `${name},${hash},${size}`);
    return { files: byPath, text: (name) => String(contents.get(name)), record };
  } finally {
    zip.close();
  }
}

/** A row of what is installed tells the installed bytes. */
function checkRow(
  row: { readonly path: string; readonly hash: string; readonly size: string },
  distInfo: string,
  contents: ReadonlyMap<string, Buffer>,
): void {
  const path = join("/", distInfo, "..", row.path).slice(1);
  const content = contents.get(path);
  expect(content, path).toBeDefined();
  if (path === `${distInfo}/RECORD`) return expect([row.hash, row.size]).toEqual(["", ""]);
  expect([row.hash, row.size]).toEqual([recordHash(content ?? Buffer.alloc(0)), String(content?.length)]);
}

const DATA: WheelFixture["files"] = {
  "demo/__init__.py": "",
  "demo-1.0.data/purelib/pure.py": "pure",
  "demo-1.0.data/platlib/plat.so": "plat",
  "demo-1.0.data/headers/sub/demo.h": "header",
  "demo-1.0.data/data/share/man/man1/demo.1": "manual",
  "demo-1.0.data/scripts/shell": "#!/bin/sh\n",
  "demo-1.0.data/scripts/py": "#!python\nprint(1)\n",
  "demo-1.0.data/scripts/pyw": "#!pythonw\nprint(2)\n",
};

describe("where files go", () => {
  it.each([
    [true, "usr/lib/pure/"],
    [false, "usr/lib/plat/"],
  ])("Root-Is-Purelib %s", (isPure, library) => {
    const { files } = plan({ isPure, files: { "demo/x.py": "1" } });
    expect([...files.keys()].sort()).toEqual(
      ["demo-1.0.dist-info/INSTALLER", "demo-1.0.dist-info/METADATA", "demo-1.0.dist-info/RECORD"]
        .concat(["demo-1.0.dist-info/WHEEL", "demo/x.py"])
        .map((path) => library + path),
    );
  });

  it("each kind of `.data`", () => {
    const { files, text } = plan({ files: DATA, modes: { "demo-1.0.data/scripts/py": 0o100755 } });
    const at = (path: string): [string, string] => [files.get(path)?.mode.toString(8) ?? "missing", text(path)];
    expect(at("usr/lib/pure/pure.py")).toEqual(["644", "pure"]);
    expect(at("usr/lib/plat/plat.so")).toEqual(["644", "plat"]);
    expect(at("usr/include/python3.11/demo/sub/demo.h")).toEqual(["644", "header"]);
    expect(at("usr/share/man/man1/demo.1")).toEqual(["644", "manual"]);
    expect(at("usr/bin/shell")).toEqual(["644", "#!/bin/sh\n"]);
    expect(at("usr/bin/py")).toEqual(["755", "#!/usr/bin/python3.11\nprint(1)\n"]);
    expect(at("usr/bin/pyw")).toEqual(["644", "#!/usr/bin/python3.11\nprint(2)\n"]);
    expect([...files.keys()].some((path) => path.includes(".data/"))).toBe(false);
  });

  it("below a link of the image, where the link leads; RECORD has the path as written", () => {
    const links = { "/usr/share/man": "/usr/local/man" };
    const { fileName, bytes } = makeWheel({ files: DATA });
    fs.writeFileSync(join(folder, fileName), bytes);
    const zip = openZip(join(folder, fileName));
    const { files } = planInstall(zip, fileName, { ...OPTIONS, scheme: { ...OPTIONS.scheme, links } });
    zip.close();
    const record = files.find(({ path }) => path.endsWith("/RECORD"))?.bytes;
    expect(files.map(({ path }) => path)).toContain("usr/local/man/man1/demo.1");
    expect(String(record)).toContain("../../share/man/man1/demo.1,sha256=");
  });

  it("direct_url.json as Python's json writes it", () => {
    const direct = { url: "file:///é", archive_info: { hashes: { sha256: "00" }, hash: "sha256=00" }, dir: [true, 1] };
    const { text } = plan({}, { direct });
    expect(text("usr/lib/pure/demo-1.0.dist-info/direct_url.json")).toBe(
      '{"archive_info": {"hash": "sha256=00", "hashes": {"sha256": "00"}}, "dir": [true, 1], "url": "file:///\\u00e9"}',
    );
  });

  it("modes are 644 and 755, whatever the wheel says", () => {
    const files = { "a.py": "", "b.so": "", "c.py": "" };
    const { files: planned } = plan({ files, modes: { "a.py": 0o100600, "b.so": 0o106777, "c.py": 0 } });
    const modes = ["a.py", "b.so", "c.py"].map((path) => planned.get(`usr/lib/pure/${path}`)?.mode.toString(8));
    expect(modes).toEqual(["644", "755", "644"]);
  });

  it("entry points, also over a script of the same name", () => {
    const entryPoints = "[console_scripts]\ndemo = demo:main [extra]\n[gui_scripts]\ngui = demo:gui\n";
    const { files, text } = plan({ entryPoints, files: { ...DATA, "demo-1.0.data/scripts/demo": "#!python\nold" } });
    expect(files.get("usr/bin/demo")?.mode).toBe(0o755);
    expect(text("usr/bin/demo")).toContain("from demo import main");
    expect(text("usr/bin/gui")).toContain("sys.exit(gui())");
  });

  it("of two files for one path the one that pip writes last", () => {
    const files = {
      "demo-1.0.data/purelib/demo/x.py": "data",
      "demo-1.0.data/data/lib/pure/demo/y.py": "data",
      "demo/x.py": "root",
      "demo/y.py": "root",
    };
    const { text, record } = plan({ files });
    expect([text("usr/lib/pure/demo/x.py"), text("usr/lib/pure/demo/y.py")]).toEqual(["data", "data"]);
    expect(record.filter((row) => row.startsWith("demo/"))).toHaveLength(2);
  });

  it.each([
    ["in `.data`", { "demo/x": "file", "demo-1.0.data/purelib/demo/x/y": "below" }],
    ["under a script", { "demo-1.0.data/data/bin/tool": "file", "demo-1.0.data/scripts/tool/x": "below" }],
    ["in place of .dist-info", { "demo-1.0.data/data/lib/pure/demo-1.0.dist-info": "file" }],
  ])("a file that is a folder elsewhere is refused: %s", (_title, files) => {
    const refused = { code: "E_WHEEL", message: expect.stringContaining("would be a file and a folder") as string };
    expect(() => plan({ files })).toThrow(expect.objectContaining(refused));
  });

  it.each(["demo-1.0.data/unknown/x", "demo-1.0.data/x", "demo-1.0.data/SCRIPTS/x"])("%s is refused", (path) => {
    expect(() => plan({ files: { [path]: "x" } })).toThrow(expect.objectContaining({ code: "E_WHEEL" }));
  });

  it("what is left out is not in RECORD either", () => {
    const leavesOut = (path: string): boolean => path.endsWith(".h") || path.endsWith("/shell");
    const { files, record } = plan({ files: DATA }, { leavesOut });
    expect([...files.keys()].filter(leavesOut)).toEqual([]);
    expect(record.filter((row) => /demo\.h|shell/.test(row))).toEqual([]);
  });
});

describe("what an installer adds", () => {
  const INFO = "usr/lib/pure/demo-1.0.dist-info";

  it("INSTALLER, and REQUESTED for what the user asked for", () => {
    expect(plan({}).files.has(`${INFO}/REQUESTED`)).toBe(false);
    const { text } = plan({}, { isRequested: true });
    expect([text(`${INFO}/INSTALLER`), text(`${INFO}/REQUESTED`)]).toEqual(["tare\n", ""]);
  });

  it("direct_url.json for what came from no index", () => {
    const direct = { url: "file:///x/demo.whl", archive_info: {} };
    expect(JSON.parse(plan({}, { direct }).text(`${INFO}/direct_url.json`))).toEqual(direct);
  });

  it("its own files replace those of the wheel", () => {
    const names = ["INSTALLER", "REQUESTED", "direct_url.json", "RECORD.jws", "RECORD.p7s"];
    const files = Object.fromEntries(names.map((name) => [`demo-1.0.dist-info/${name}`, "forged"]));
    const { files: planned, text } = plan({ files });
    expect(names.filter((name) => planned.has(`${INFO}/${name}`))).toEqual(["INSTALLER"]);
    expect(text(`${INFO}/INSTALLER`)).toBe("tare\n");
  });

  it("a RECORD of what is installed, relative to the library", () => {
    const { record } = plan(
      { files: DATA, entryPoints: "[console_scripts]\nrun = demo:main\n" },
      { isRequested: true },
    );
    expect(record.map((row) => row.split(",")[0])).toEqual([
      "../../bin/py",
      "../../bin/pyw",
      "../../bin/run",
      "../../bin/shell",
      "../../include/python3.11/demo/sub/demo.h",
      "../../share/man/man1/demo.1",
      "../plat/plat.so",
      ...["INSTALLER", "METADATA", "RECORD", "REQUESTED", "WHEEL", "entry_points.txt"].map((name) => `demo-1.0.dist-info/${name}`),
      "demo/__init__.py",
      "pure.py",
    ]); // prettier-ignore
  });

  it("RECORD rows of odd names", () => {
    const names = ['a "quoted".py', "a,comma.py", "ünï/cödé.py", "line\nfeed.py", "carriage\rreturn.py", "tab\t.py"];
    const { files } = plan({ files: Object.fromEntries(names.map((name) => [name, name])) });
    expect(names.filter((name) => !files.has(`usr/lib/pure/${name}`))).toEqual([]);
  });
});

describe("pip's own programs", () => {
  it("carry the version of the target", () => {
    const entryPoints = "[console_scripts]\npip = pip:main\npip3 = pip:main\npip3.9 = pip:main\n";
    const { files } = plan({ name: "pip", entryPoints });
    const scripts = [...files.keys()].filter((path) => path.startsWith("usr/bin/"));
    expect(scripts.sort()).toEqual(["usr/bin/pip", "usr/bin/pip3", "usr/bin/pip3.11"]);
  });
});
