// SPDX-License-Identifier: Apache-2.0
/** The merged view in user space against the kernel's own overlayfs, over random layers. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asDiffId, digestOf, linux } from "../base/index.ts";
import { TreeView, resolveInTree } from "./tree-view.ts";
import type { Layer } from "./types.ts";

const canMount = process.getuid?.() === 0 && spawnSync("unshare", ["--mount", "true"]).status === 0;
if (!canMount) console.log("skipped: tree view against overlayfs: needs root and mount namespaces");

let folder = "";
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-view-"));
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

type Entry = "file" | "directory" | "opaque" | "link" | "whiteout";
/** Path → what the layer has there; few names, so that layers meet. */
type LayerPlan = readonly (readonly [path: string, entry: Entry])[];

const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const entry = fc.constantFrom<Entry>("file", "directory", "opaque", "link", "whiteout");
const plan: fc.Arbitrary<LayerPlan> = fc.array(fc.tuple(path, entry), { maxLength: 8 });

/** Makes a layer's tree; entries below something that is no directory are left out. */
function makeLayer(root: string, entries: LayerPlan): Layer {
  fs.mkdirSync(root);
  const opaque = entries.filter(([at, kind]) => make(root, at, kind) && kind === "opaque").map(([at]) => at);
  const diffId = asDiffId(digestOf(root));
  const facts = { diffId, size: 0, contentSize: 0, entries: 1, whiteouts: 0, hasXattrs: false, link: "" };
  return { ...facts, tree: root, opaque };
}

function make(root: string, at: string, kind: Entry): boolean {
  const names = at.split("/");
  for (let count = 1; count < names.length; count += 1) {
    const parent = join(root, ...names.slice(0, count));
    const stats = fs.lstatSync(parent, { throwIfNoEntry: false });
    if (!stats) fs.mkdirSync(parent);
    else if (!stats.isDirectory()) return false;
  }
  const place = join(root, at);
  if (fs.lstatSync(place, { throwIfNoEntry: false })) return false;
  if (kind === "file") fs.writeFileSync(place, place);
  else if (kind === "link") fs.symlinkSync("../b", place);
  else if (kind === "whiteout") linux.mknod(place, linux.S_IFCHR, 0n);
  else fs.mkdirSync(place);
  if (kind === "opaque") linux.lsetxattr(place, "trusted.overlay.opaque", Buffer.from("y"));
  return true;
}

/** `type path content-or-target` of everything, as the kernel shows it. */
function kernelView(layers: readonly Layer[], mountPoint: string): readonly string[] {
  fs.mkdirSync(mountPoint);
  const lower = layers
    .map((layer) => layer.tree)
    .toReversed()
    .join(":");
  const script =
    'mount -t overlay overlay -o "lowerdir=$1" "$2" && cd "$2" && find . -mindepth 1 -printf "%y %P %l\\n"';
  const result = spawnSync("unshare", ["--mount", "sh", "-c", script, "sh", lower, mountPoint], { encoding: "utf8" });
  // In a directory of one layer alone the kernel lists a whiteout's name, which then can't be opened.
  expect(result.stderr.replaceAll(/^find: .*: No such file or directory\n/gm, "")).toBe("");
  return result.stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => line.trimEnd())
    .sort();
}

function ownView(view: TreeView, at: string = ""): readonly string[] {
  return view.list(at).flatMap(({ path: below, hostPath, stats }) => {
    if (stats.isDirectory()) return [`d ${below}`, ...ownView(view, below)];
    return [stats.isSymbolicLink() ? `l ${below} ${fs.readlinkSync(hostPath)}` : `f ${below}`];
  });
}

describe.skipIf(!canMount)("the merged view of layers", () => {
  it("is what overlayfs shows", () => {
    let run = 0;
    fc.assert(
      fc.property(fc.array(plan, { minLength: 2, maxLength: 4 }), (plans) => {
        const home = join(folder, String((run += 1)));
        fs.mkdirSync(home);
        const layers = plans.map((entries, index) => makeLayer(join(home, `layer${index}`), entries));
        expect([...ownView(new TreeView(layers))].sort()).toEqual(kernelView(layers, join(home, "merged")));
      }),
      { numRuns: 60 },
    );
  });
});

describe("resolving a path in a tree", () => {
  it("never leaves it", () => {
    const root = join(folder, "links");
    fs.mkdirSync(join(root, "x"), { recursive: true });
    fs.symlinkSync("/x", join(root, "absolute"));
    fs.symlinkSync("../../../etc", join(root, "x/up"));
    fs.symlinkSync("loop", join(root, "loop"));
    const facts = {
      diffId: asDiffId(digestOf("l")),
      size: 0,
      contentSize: 0,
      entries: 1,
      whiteouts: 0,
      hasXattrs: false,
    };
    const view = new TreeView([{ ...facts, link: "", tree: root, opaque: [] }]);
    expect(resolveInTree(view, "absolute/up/passwd")).toBe("etc/passwd");
    expect(resolveInTree(view, "../../x")).toBe("x");
    expect(resolveInTree(view, "absolute", false)).toBe("absolute");
    expect(() => resolveInTree(view, "loop")).toThrow("too many symbolic links");
  });
});
