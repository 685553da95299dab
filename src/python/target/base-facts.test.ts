// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../base/index.ts";
import { TreeView, openStore } from "../../store/index.ts";
import { temporaryRoot } from "../../store/fixture.ts";
import { findBaseFacts, knownBase, noteBase, parseBaseFacts, parseNotedBases } from "./base-facts.ts";
import type { Store } from "../../store/index.ts";
import type { BaseFacts } from "./base-facts.ts";

let root = "";
let store: Store;
beforeAll(() => {
  root = temporaryRoot();
  store = openStore({ root, sync: "none" });
});
afterAll(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

/** The facts of a tree with these files and folders (`/` at the end). */
function factsOf(paths: readonly string[], change: (tree: string) => void = () => undefined): BaseFacts {
  const staging = store.layers.stage();
  const needed = ["usr/local/bin/python3.11", "lib/libc.so.6", "etc/passwd", "home/", ...paths];
  for (const path of needed) {
    const place = join(staging.tree, path);
    fs.mkdirSync(path.endsWith("/") ? place : join(place, ".."), { recursive: true, mode: 0o755 });
    if (!path.endsWith("/")) fs.writeFileSync(place, "GNU C Library (made) stable release version 2.36.\n");
  }
  fs.symlinkSync("python3.11", join(staging.tree, "usr/local/bin/python3"));
  change(staging.tree);
  const layer = { tree: staging.tree, opaque: [], hasXattrs: false };
  const view = new TreeView([
    { ...layer, diffId: digestOf(staging.tree), link: "", size: 0, contentSize: 0, entries: 0, whiteouts: 0 } as never,
  ]);
  return findBaseFacts(view, { env: ["PATH=/usr/local/bin"], architecture: "amd64" });
}

describe("a base", () => {
  it.each<readonly [string, readonly string[], boolean, ((tree: string) => void) | undefined]>([
    ["has the usual folders", [], true, undefined],
    ["has an /app", ["app/"], false, undefined],
    ["has a file /app", ["app"], false, undefined],
    ["has the user's home", ["home/app/"], false, undefined],
    ["has an /etc that is closed", [], false, (tree) => fs.chmodSync(join(tree, "etc"), 0o700)],
    [
      "has its /home elsewhere",
      ["usr/home/"],
      false,
      (tree) => {
        fs.rmdirSync(join(tree, "home"));
        fs.symlinkSync("usr/home", join(tree, "home"));
      },
    ],
    ["has no /home", [], true, (tree) => fs.rmdirSync(join(tree, "home"))],
  ])("that %s", (_name, paths, isPlain, change) => {
    expect(factsOf(paths, change).isPlain).toBe(isPlain);
  });

  it("has the distributions of its library folder", () => {
    const library = "usr/local/lib/python3.11/site-packages";
    const facts = factsOf([
      `${library}/Foo_Bar-1.2.dist-info/RECORD`,
      `${library}/old-0.1-py3.11.egg-info`,
      `${library}/x.py`,
    ]);
    expect(facts.installed).toEqual([
      { name: "foo-bar", version: "1.2", path: `${library}/Foo_Bar-1.2.dist-info` },
      { name: "old", version: "0.1", path: `${library}/old-0.1-py3.11.egg-info` },
    ]);
    expect(parseBaseFacts(JSON.parse(JSON.stringify(facts)))).toEqual(facts);
  });

  it("comes back from a document and from JSON as it was", () => {
    const facts = factsOf([]);
    const id = digestOf("base");
    expect(knownBase(store, id)).toBeUndefined();
    noteBase(store, id, facts);
    noteBase(store, id, facts);
    expect(knownBase(store, id)).toEqual(facts);
    expect(
      parseNotedBases(
        JSON.parse(
          JSON.stringify([
            { id, facts },
            { id: "no", facts },
          ]),
        ),
      ),
    ).toEqual([{ id, facts }]);
  });

  it("keeps the links in its scheme, and is looked at again when something in it is not known here", () => {
    const facts = factsOf(["srv/bin/x"], (tree) => fs.symlinkSync("../../srv/bin", join(tree, "usr/local/sbin")));
    expect(facts.target.scheme).toHaveProperty("links");
    const id = digestOf("links");
    noteBase(store, id, facts);
    expect(knownBase(store, id)).toEqual(facts);
    const scheme = { ...facts.target.scheme, others: [] };
    expect(parseBaseFacts({ ...facts, target: { ...facts.target, scheme } })).toBeUndefined();
    expect(parseBaseFacts({ ...facts, target: { ...facts.target, abi: "x" } })).toBeUndefined();
  });

  it("is no base when anything in it is not what it must be", () => {
    const facts = factsOf([]);
    const { target } = facts;
    const bad: readonly unknown[] = [
      { ...facts, version: 1 },
      { ...facts, installed: [{ name: "x", version: "1", path: "../x" }] },
      { ...facts, installed: [{ name: "X y", version: "1", path: "x" }] },
      { ...facts, installed: undefined },
      { ...facts, isPlain: 1 },
      { ...facts, passwd: "x".repeat(70_000) },
      { ...facts, target: { ...target, version: "3.11" } },
      { ...facts, target: { ...target, executable: "/usr/bin/../../bin/sh" } },
      { ...facts, target: { ...target, executable: "python3" } },
      { ...facts, target: { ...target, scheme: { ...target.scheme, data: "/a b" } } },
      { ...facts, target: { ...target, scheme: { ...target.scheme, links: { "/a": "b" } } } },
      { ...facts, target: { ...target, libc: { kind: "dietlibc", version: "1.0" } } },
    ];
    for (const value of bad) expect(parseBaseFacts(value)).toBeUndefined();
    fc.assert(fc.property(fc.anything(), (value) => parseBaseFacts(value) === undefined));
  });
});
