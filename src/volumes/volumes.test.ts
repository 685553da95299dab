// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileChunks, writeAll } from "../base/index.ts";
import { openStore, readNames } from "../store/index.ts";
import type { SourceTree, Store, TreeEntry } from "../store/index.ts";
import { backupVolume, cloneVolume, restoreVolume } from "./copies.ts";
import { fillVolume } from "./fill.ts";
import { acts, change, describeTree } from "./fixture.ts";
import { volumeBacking } from "./local-options.ts";
import { recordsOf } from "./record.ts";
import { createVolume, dataPath, findVolume, folderOf, listVolumes, removeVolume } from "./volumes.ts";
import { clearWork } from "./work.ts";

let folder: string;
let store: Store;
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-volumes-"));
  store = openStore({ root: join(folder, "store"), sync: "none" });
});
afterEach(() => {
  store.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const nobody = (): readonly string[] => [];
const work = (): readonly string[] => fs.readdirSync(join(store.root, "volumes", ".work"));

/** A folder as the tree of an image. */
function imageOf(root: string): SourceTree {
  const lookup = (path: string): TreeEntry | undefined => {
    const hostPath = join(root, path);
    const stats = fs.lstatSync(hostPath, { throwIfNoEntry: false });
    return stats && { path, hostPath, stats };
  };
  const list = (path: string): readonly TreeEntry[] =>
    readNames(join(root, path)).flatMap((name) => lookup(path === "" ? name : `${path}/${name}`) ?? []);
  return { lookup, list };
}

describe("volumes", () => {
  it("are made once, listed with the folders of older versions, and gone with all they hold", () => {
    expect(createVolume(store, { name: "b", labels: { x: "1" } }).existed).toBe(false);
    expect(createVolume(store, { name: "b", labels: { x: "2" } })).toMatchObject({
      existed: true,
      record: { labels: { x: "1" } },
    });
    fs.mkdirSync(join(folderOf(store, "a"), "data"), { recursive: true });
    fs.mkdirSync(join(folderOf(store, "f".repeat(64)), "data"), { recursive: true });
    expect(listVolumes(store).map(({ name, labels }) => [name.slice(0, 3), Object.keys(labels)])).toEqual([
      ["a", []],
      ["b", ["x"]],
      ["fff", ["com.docker.volume.anonymous"]],
    ]);
    for (const { name } of listVolumes(store)) expect(removeVolume(store, name, nobody)).toBe(true);
    expect(listVolumes(store)).toEqual([]);
    expect(work()).toEqual([]);
    expect(removeVolume(store, "a", nobody)).toBe(false);
  });

  it("stay while somebody has them", () => {
    createVolume(store, { name: "v" });
    expect(() => removeVolume(store, "v", () => ["web", "db"])).toThrow(
      expect.objectContaining({ code: "E_VOLUME_INUSE", message: expect.stringContaining("`web`, `db`") }),
    );
    expect(fs.existsSync(dataPath(store, "v"))).toBe(true);
    expect(recordsOf(store).get("v")).toBeDefined();
  });

  it("leave nothing when a process dies in the middle", () => {
    fs.mkdirSync(join(store.root, "volumes", ".work", "1-2-dead", "removed"), { recursive: true });
    createVolume(store, { name: "v" });
    expect(listVolumes(store).map(({ name }) => name)).toEqual(["v"]);
    expect(clearWork(store)).toBe(1);
    expect(work()).toEqual([]);
  });
});

describe("options of the driver", () => {
  it.each([
    [{}, { kind: "folder" }],
    [
      { type: "none", o: "bind", device: "/data/" },
      { kind: "bind", device: "/data/", readOnly: false },
    ],
    [
      { o: "rbind,ro", device: "/data" },
      { kind: "bind", device: "/data", readOnly: true },
    ],
    [
      { type: "tmpfs", device: "tmpfs", o: "size=1m,uid=5" },
      { kind: "tmpfs", options: ["size=1m", "uid=5"] },
    ],
  ])("%j", (options, expected) => expect(volumeBacking(options)).toEqual(expected));

  it.each([
    ["E_VOLUME_OPTION", { color: "red" }],
    ["E_VOLUME_OPTION", { o: "bind" }],
    ["E_VOLUME_OPTION", { o: "bind", device: "data" }],
    ["E_VOLUME_OPTION", { o: "bind,exec", device: "/data" }],
    ["E_VOLUME_OPTION", { o: "addr=1" }],
    ["E_VOLUME_OPTION", { type: "ext4" }],
    ["E_UNSUPPORTED", { type: "nfs", o: "addr=1.2.3.4", device: ":/x" }],
    ["E_UNSUPPORTED", { type: "ext4", device: "/dev/sda1" }],
    ["E_UNSUPPORTED", { size: "1g" }],
  ])("%s for %j", (code, options) => {
    expect(() => volumeBacking(options)).toThrow(expect.objectContaining({ code }));
  });
});

describe("filling a volume", () => {
  const place = (): Parameters<typeof fillVolume>[1] => {
    createVolume(store, { name: "v" });
    return { name: "v", data: dataPath(store, "v"), destination: "/" };
  };

  it("copies all that an image has", async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        const tree = fs.mkdtempSync(join(folder, "tree-"));
        change(tree, list);
        await fillVolume(store, place(), imageOf(tree));
        expect(describeTree(dataPath(store, "v"))).toEqual(describeTree(tree));
        removeVolume(store, "v", nobody);
      }),
      { numRuns: 25 },
    );
  });

  it("happens to empty ones only, is done again after an interruption, and leaves what came meanwhile", async () => {
    const tree = fs.mkdtempSync(join(folder, "tree-"));
    for (const name of ["a", "b"]) fs.writeFileSync(join(tree, name), "of the image");
    const at = place();
    const inode = fs.statSync(at.data).ino;
    fs.writeFileSync(join(at.data, "b"), "of a container");
    await fillVolume(store, at, imageOf(tree));
    expect(fs.readdirSync(at.data)).toEqual(["b"]);
    fs.writeFileSync(join(folderOf(store, "v"), "filling"), "");
    fs.mkdirSync(join(folderOf(store, "v"), ".tare-fill-dead"));
    await fillVolume(store, at, imageOf(tree));
    expect(["a", "b"].map((name) => fs.readFileSync(join(at.data, name), "utf8"))).toEqual([
      "of the image",
      "of a container",
    ]);
    expect(fs.readdirSync(folderOf(store, "v"))).toEqual(["data"]);
    expect(fs.statSync(at.data).ino).toBe(inode);
  });

  it("is done by one of several at once", async () => {
    const trees = ["one", "two", "three"].map((name) => {
      const tree = fs.mkdtempSync(join(folder, "tree-"));
      fs.writeFileSync(join(tree, name), "");
      return tree;
    });
    const at = place();
    await Promise.all(trees.map((tree) => fillVolume(store, at, imageOf(tree))));
    expect(fs.readdirSync(at.data)).toHaveLength(1);
  });
});

describe("copies of volumes", () => {
  const publish = (name: string, replace = false): Parameters<typeof restoreVolume>[2] => ({
    name,
    labels: {},
    replace,
    running: nobody,
  });

  async function backup(name: string): Promise<string> {
    const path = join(folder, `${name}.backup`);
    const descriptor = fs.openSync(path, "w");
    await backupVolume(store, name, { write: (chunk) => writeAll(descriptor, chunk) }, { compression: "zstd" });
    fs.closeSync(descriptor);
    return path;
  }

  it("are the same, with labels", async () => {
    createVolume(store, { name: "v", labels: { a: "b" } });
    change(dataPath(store, "v"), fc.sample(acts, { numRuns: 1, seed: 7 })[0] ?? []);
    await cloneVolume(store, "v", publish("clone"), {});
    await restoreVolume(store, [fileChunks(await backup("v"))], publish("restored"), {});
    for (const name of ["clone", "restored"]) {
      expect(describeTree(dataPath(store, name))).toEqual(describeTree(dataPath(store, "v")));
      expect(findVolume(store, name)?.labels).toEqual({ a: "b" });
    }
    expect(work()).toEqual([]);
  });

  it("take the place of a volume only when that is wanted and nothing runs with it", async () => {
    createVolume(store, { name: "v", labels: { a: "b" } });
    fs.writeFileSync(join(dataPath(store, "v"), "old"), "");
    const path = await backup("v");
    fs.renameSync(join(dataPath(store, "v"), "old"), join(dataPath(store, "v"), "new"));
    const restore = (more: object): Promise<unknown> =>
      restoreVolume(store, [fileChunks(path)], { ...publish("v"), ...more }, {});
    await expect(restore({})).rejects.toMatchObject({ code: "E_VOLUME_EXISTS" });
    await expect(restore({ replace: true, running: () => ["web"] })).rejects.toMatchObject({ code: "E_VOLUME_INUSE" });
    expect(fs.readdirSync(dataPath(store, "v"))).toEqual(["new"]);
    await restore({ replace: true });
    expect(fs.readdirSync(dataPath(store, "v"))).toEqual(["old"]);
    expect(work()).toEqual([]);
  });

  it("that a kill interrupts leave the volume as it was, and can be made again", async () => {
    createVolume(store, { name: "v" });
    for (let index = 0; index < 400; index += 1) fs.writeFileSync(join(dataPath(store, "v"), `${index}`), `${index}`);
    const path = await backup("v");
    const before = describeTree(dataPath(store, "v"));
    fs.writeFileSync(join(dataPath(store, "v"), "0"), "changed");
    const changed = describeTree(dataPath(store, "v"));
    const child = join(import.meta.dirname, "restore.child.ts");
    for (const milliseconds of [150, 250, 350, 450]) {
      spawnSync(process.execPath, [child, join(folder, "store"), "v", path], {
        timeout: milliseconds,
        killSignal: "SIGKILL",
      });
      const now = describeTree(dataPath(store, "v"));
      expect([before, changed]).toContainEqual(now);
    }
    store.recover();
    clearWork(store);
    expect(work()).toEqual([]);
    await restoreVolume(store, [fileChunks(path)], publish("v", true), {});
    expect(describeTree(dataPath(store, "v"))).toEqual(before);
  }, 120_000);
});
