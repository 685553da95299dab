// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { asDiffId, digestOf } from "../base/index.ts";
import { buildSpec } from "../runtime/index.ts";
import type { OciSpec } from "../runtime/index.ts";
import { TreeView } from "../store/index.ts";
import type { SourceTree } from "../store/index.ts";
import { makeMountPoints } from "./device-mount-points.ts";

let place = "";
beforeEach(() => {
  place = fs.mkdtempSync(join(tmpdir(), "tare-points-"));
  fs.writeFileSync(join(place, "library"), "x");
  fs.mkdirSync(join(place, "image/usr/bin"), { recursive: true });
  fs.symlinkSync("usr/lib", join(place, "image/lib"));
  fs.symlinkSync("/dev", join(place, "image/devices"));
  fs.writeFileSync(join(place, "image/usr/bin/tool"), "");
});
afterEach(() => fs.rmSync(place, { recursive: true, force: true }));

const PLAIN: OciSpec = buildSpec({
  args: ["a"],
  env: [],
  cwd: "/",
  user: { uid: 0, gid: 0 },
  mode: "run",
  rootfs: "/rootfs",
  network: "none",
  cgroupMode: "v2",
  cgroupsPath: "/x",
});

function treeOf(folder: string): SourceTree {
  const facts = { diffId: asDiffId(digestOf("x")), size: 0, contentSize: 0, entries: 0, whiteouts: 0, link: "" };
  return new TreeView([{ ...facts, hasXattrs: false, tree: folder, opaque: [] }]);
}

function pointsFor(
  mounts: readonly { readonly destination: string; readonly type?: string; readonly source?: string }[],
): readonly string[] {
  const folder = join(place, "points");
  const after = { ...PLAIN, mounts: [...PLAIN.mounts, ...mounts] };
  const made = makeMountPoints(folder, treeOf(join(place, "image")), { before: PLAIN, after });
  expect(made).toEqual(fs.existsSync(folder) ? [folder] : []);
  if (made.length === 0) return [];
  const names = fs.readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.map((name) => (fs.statSync(join(folder, name)).isDirectory() ? `${name}/` : name)).toSorted();
}

describe("mount points of devices", () => {
  const file = (destination: string): object => ({ destination, source: join(place, "library") });
  it.each<readonly [string, () => readonly object[], readonly string[]]>([
    ["nothing", () => [], []],
    ["a file", () => [file("/usr/lib/libcuda.so.1")], ["usr/", "usr/lib/", "usr/lib/libcuda.so.1"]],
    ["a folder", () => [{ destination: "/opt/x", source: place }], ["opt/", "opt/x/"]],
    [
      "a file system in memory, and nothing of what lies in it",
      () => [
        { destination: "/usr/local/nvidia", type: "tmpfs", source: "tmpfs" },
        file("/usr/local/nvidia/lib64/libcuda.so.1"),
      ],
      ["usr/", "usr/local/", "usr/local/nvidia/"],
    ],
    [
      "a bound folder, and nothing of what lies in it",
      () => [{ destination: "/opt", source: place }, file("/opt/a/b")],
      ["opt/"],
    ],
    ["neighbours of one beginning", () => [file("/opt/a"), file("/opt/ab")], ["opt/", "opt/a", "opt/ab"]],
    [
      "nothing below the kernel's folders",
      () => [file("/dev/nvidia0"), file("/proc/driver/nvidia/params"), file("/sys/x")],
      [],
    ],
    ["where links of the image lead", () => [file("/lib/libcuda.so.1")], ["usr/", "usr/lib/", "usr/lib/libcuda.so.1"]],
    [
      "nothing that the image has",
      () => [file("/usr/bin/tool"), file("/usr/bin/other")],
      ["usr/", "usr/bin/", "usr/bin/other"],
    ],
    ["nothing of the kernel's folders by a link", () => [file("/devices/x")], []],
    ["nothing above the folder", () => [file("/a/../../../b")], ["b"]],
    ["a source that is gone is a folder's place", () => [{ destination: "/gone", source: "/no/such" }], ["gone/"]],
  ])("%s", (_, mounts, wanted) => {
    expect(pointsFor(mounts() as Parameters<typeof pointsFor>[0])).toEqual(wanted);
  });

  it("are made anew at each start", () => {
    pointsFor([{ destination: "/old", source: place }]);
    expect(pointsFor([{ destination: "/new", source: place }])).toEqual(["new/"]);
    expect(pointsFor([])).toEqual([]);
  });
});
