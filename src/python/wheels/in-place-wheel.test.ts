// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { openZip } from "../../archive/index.ts";
import { planInstall } from "../install/plan.ts";
import { builtWheelKey } from "./built-wheels.ts";
import { inPlaceWheel } from "./in-place-wheel.ts";
import type { PythonTarget } from "../types.ts";

const SCHEME = {
  purelib: "/usr/lib/site-packages",
  platlib: "/usr/lib/site-packages",
  scripts: "/usr/bin",
  headers: "/usr/include",
  data: "/usr",
};

function installed(bytes: Buffer, fileName: string): ReadonlyMap<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "tare-in-place-"));
  const path = join(folder, fileName);
  writeFileSync(path, bytes);
  const zip = openZip(path);
  try {
    const options = { scheme: SCHEME, executable: "/usr/bin/python3", python: "3.11.2", isRequested: true };
    const { files } = planInstall(zip, fileName, options);
    return new Map(
      files.map(({ path: place, entry, bytes: own }) => [place, String(own ?? (entry ? zip.readEntry(entry) : ""))]),
    );
  } finally {
    zip.close();
    rmSync(folder, { recursive: true });
  }
}

it("installs as any wheel: metadata, programs and a path", () => {
  const files = {
    METADATA: "Metadata-Version: 2.1\nName: My.App\nVersion: 1.0\n",
    "entry_points.txt": "[console_scripts]\nmy-app = my_app:main\n",
  };
  const { fileName, bytes } = inPlaceWheel({ name: "My.App", version: "1.0", files, paths: ["/app", "/app/src"] });
  expect(fileName).toBe("my_app-1.0-py3-none-any.whl");
  const tree = installed(bytes, fileName);
  expect(tree.get("usr/lib/site-packages/__editable__.my_app.pth")).toBe("/app\n/app/src\n");
  expect(tree.get("usr/bin/my-app")).toContain("from my_app import main");
  expect(tree.get("usr/lib/site-packages/my_app-1.0.dist-info/METADATA")).toContain("Name: My.App");
});

it("is a right wheel whatever it holds, and the same for the same", () => {
  const names = fc.constantFrom("a", "x-y", "Long.Name_1");
  const text = fc.string({ unit: "grapheme", maxLength: 300 });
  fc.assert(
    fc.property(names, text, fc.array(fc.constantFrom("/app", "/app/ünï"), { maxLength: 2 }), (name, more, paths) => {
      const files = { METADATA: `Metadata-Version: 2.1\nName: ${name}\nVersion: 2.0.post1\n\n${more}` };
      const about = { name, version: "2.0.post1", files, paths };
      const made = inPlaceWheel(about);
      expect(inPlaceWheel(about).bytes.equals(made.bytes)).toBe(true);
      expect([...installed(made.bytes, made.fileName).values()].some((each) => each.includes(more))).toBe(true);
    }),
    { numRuns: 50 },
  );
});

it("is built once for its sources, Python and platform, whatever else the base has", () => {
  const target: PythonTarget = {
    implementation: "cpython",
    version: "3.11.2",
    architecture: "amd64",
    libc: { kind: "glibc", version: "2.36" },
    executable: "/usr/bin/python3",
    scheme: SCHEME,
  };
  const input = { source: "sha256:00", target, packages: ["b", "a"] };
  const key = builtWheelKey(input);
  const same = { ...target, version: "3.11.9", executable: "/usr/local/bin/python3" };
  expect(builtWheelKey({ ...input, target: same, packages: ["a", "b"] })).toBe(key);
  const others = [
    { ...input, source: "git:00" },
    { ...input, subdirectory: "lib" },
    { ...input, packages: ["a"] },
    { ...input, target: { ...target, version: "3.12.1" } },
    { ...input, target: { ...target, architecture: "arm64" } },
    { ...input, target: { ...target, libc: { kind: "musl", version: "1.2" } as const } },
    { ...input, target: { ...target, isFreeThreaded: true } },
  ];
  const keys = others.map((each) => builtWheelKey(each));
  expect(new Set([key, ...keys]).size).toBe(others.length + 1);
});
