// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ContextTree } from "./context-tree.ts";
import { MountStubs } from "./run-stubs.ts";

let root: string;
const at = (...names: string[]): string => join(root, ...names);

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-stubs-"));
  for (const name of ["image/etc", "image/proc", "image/opt", "layer"]) fs.mkdirSync(at(name), { recursive: true });
  fs.symlinkSync("opt", at("image/link"));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

/** What stays of a layer's paths (a trailing slash: a directory) when the step had these mount targets. */
function left(targets: readonly string[], paths: readonly string[]): readonly string[] {
  const stubs = new MountStubs(new ContextTree(at("image")), targets);
  for (const path of paths) {
    fs.mkdirSync(at("layer", path.endsWith("/") ? path : dirname(path)), { recursive: true });
    if (!path.endsWith("/")) fs.writeFileSync(at("layer", path), path.endsWith("full") ? "x" : "");
  }
  stubs.remove(at("layer"));
  const names = fs.readdirSync(at("layer"), { recursive: true, encoding: "utf8" });
  return names.sort();
}

describe("mount points that the runtime made", () => {
  it.each([
    ["a directory and its parents", ["/src/deep"], ["src/deep/"], []],
    ["a file in a directory that was copied up", ["/etc/resolv.conf"], ["etc/resolv.conf"], []],
    ["what the runtime always mounts", [], ["dev/", "sys/"], []],
    ["through a link of the image", ["/link/cache"], ["opt/cache/"], []],
    ["not what the image has", ["/opt"], ["opt/"], ["opt"]],
    [
      "not what the step filled",
      ["/src", "/etc/hosts.full"],
      ["src/file", "etc/hosts.full"],
      ["etc", "etc/hosts.full", "src", "src/file"],
    ],
    ["not a neighbour", ["/etc/hosts"], ["etc/hosts", "etc/mine"], ["etc", "etc/mine"]],
  ])("go: %s", (_what, targets, paths, wanted) => {
    expect(left(targets, paths)).toEqual(wanted);
  });

  it("are not looked for behind a link that the step put in the way", () => {
    const outside = at("outside");
    fs.mkdirSync(join(outside, "deep"), { recursive: true });
    const stubs = new MountStubs(new ContextTree(at("image")), ["/src/deep"]);
    fs.symlinkSync(outside, at("layer/src"));
    stubs.remove(at("layer"));
    expect(fs.existsSync(join(outside, "deep"))).toBe(true);
  });

  it("leave a copied-up directory whose mode the step changed", () => {
    const stubs = new MountStubs(new ContextTree(at("image")), ["/etc/hosts"]);
    fs.mkdirSync(at("layer/etc"), { mode: 0o700 });
    fs.writeFileSync(at("layer/etc/hosts"), "");
    stubs.remove(at("layer"));
    expect(fs.readdirSync(at("layer/etc"))).toEqual([]);
  });
});
