// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileChunks } from "../../base/index.ts";
import { acts, change, describeTree } from "../fixture.ts";
import { factsIn } from "./compare.ts";
import { readBackup } from "./read.ts";
import { restoreBackups } from "./restore.ts";
import { writeBackup } from "./write.ts";
import type { BackupReport } from "./write.ts";

let folder: string;
let count = 0;
beforeEach(() => (folder = fs.mkdtempSync(join(tmpdir(), "tare-backup-"))));
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

const volume = { version: 1, name: "v", createdAt: 5, labels: { a: "b" }, options: {} } as const;

function made(name: string): string {
  const path = join(folder, `${name}${(count += 1)}`);
  fs.mkdirSync(path);
  return path;
}

async function backup(tree: string, since?: string): Promise<{ readonly path: string; readonly report: BackupReport }> {
  const path = join(folder, `backup${(count += 1)}.tar`);
  const descriptor = fs.openSync(path, "w");
  const lists = made("lists");
  const parent = since === undefined ? undefined : await readBackup(fileChunks(since), lists, {});
  const sink = { write: (chunk: Uint8Array): void => void fs.writeSync(descriptor, chunk) };
  const report = await writeBackup(sink, {
    volume,
    data: Buffer.from(tree).toString("latin1"),
    folder: lists,
    ...(parent === undefined
      ? {}
      : {
          parent: {
            name: { id: parent.header.id, manifest: parent.end.manifest },
            facts: factsIn(parent.manifest),
          },
        }),
  });
  fs.closeSync(descriptor);
  return { path, report };
}

async function restore(...paths: readonly string[]): Promise<string> {
  const tree = made("restored");
  await restoreBackups(
    paths.map((path) => fileChunks(path)),
    { tree, folder: made("lists") },
  );
  return tree;
}

describe("a backup", () => {
  it("and its restore give the same tree, through a chain of any changes", async () => {
    await fc.assert(
      fc.asyncProperty(acts, acts, acts, async (first, second, third) => {
        const tree = made("tree");
        const paths: string[] = [];
        for (const list of [first, second, third]) {
          change(tree, list);
          paths.push((await backup(tree, paths.at(-1))).path);
          expect(describeTree(await restore(...paths))).toEqual(describeTree(tree));
        }
      }),
      { numRuns: 25 },
    );
  });

  it("holds of a large file with holes only what is stored", async () => {
    const tree = made("tree");
    fs.writeFileSync(join(tree, "sparse"), "end");
    fs.truncateSync(join(tree, "sparse"), 1 << 30);
    const { path, report } = await backup(tree);
    expect(fs.statSync(path).size).toBeLessThan(100_000);
    expect(report).toMatchObject({ bytes: 1 << 30, entries: 2, stored: 2 });
    expect(fs.statSync(join(await restore(path), "sparse")).blocks).toBeLessThan(100);
  });

  it("that goes on from another holds what changed, and lists what is gone", async () => {
    const tree = made("tree");
    for (const name of ["kept", "changed", "gone"]) fs.writeFileSync(join(tree, name), name);
    fs.mkdirSync(join(tree, "gone-too"));
    const full = await backup(tree);
    fs.writeFileSync(join(tree, "changed"), "CHANGED");
    fs.rmSync(join(tree, "gone"));
    fs.rmdirSync(join(tree, "gone-too"));
    const { path, report } = await backup(tree, full.path);
    expect(report).toMatchObject({ entries: 3, stored: 2, deleted: 2 });
    expect(describeTree(await restore(full.path, path))).toEqual(describeTree(tree));
    expect(fs.readFileSync(path, "latin1")).toContain('"gone"\n"gone-too"\n');
  });

  it("sees a change that leaves size and time as they were", async () => {
    const tree = made("tree");
    const file = join(tree, "file");
    fs.writeFileSync(file, "before");
    fs.utimesSync(file, 1000, 1000);
    const full = await backup(tree);
    fs.writeFileSync(file, "after!");
    fs.utimesSync(file, 1000, 1000);
    const next = await backup(tree, full.path);
    expect(fs.readFileSync(join(await restore(full.path, next.path), "file"), "utf8")).toBe("after!");
  });

  it("leaves sockets out and says so", async () => {
    const { createServer } = await import("node:net");
    const tree = made("tree");
    const server = createServer().listen(join(tree, "socket"));
    await new Promise((done) => server.once("listening", done));
    expect((await backup(tree)).report.skipped).toEqual(["socket"]);
    server.close();
  });

  it("is a tar that any tar unpacks", async () => {
    const tree = made("tree");
    fs.writeFileSync(join(tree, "file"), "content");
    fs.writeFileSync(join(tree, "sparse"), "x");
    fs.truncateSync(join(tree, "sparse"), 1 << 20);
    const { path } = await backup(tree);
    const out = made("out");
    const { spawnSync } = await import("node:child_process");
    const done = spawnSync("tar", ["-xf", path, "-C", out], { encoding: "utf8" });
    expect(done.stderr).toBe("");
    expect(fs.readFileSync(join(out, "data/file"), "utf8")).toBe("content");
    expect(fs.readFileSync(join(out, "data/sparse")).equals(fs.readFileSync(join(tree, "sparse")))).toBe(true);
    expect(JSON.parse(fs.readFileSync(join(out, "tare-backup/header.json"), "utf8"))).toMatchObject({
      format: "tare-volume-backup",
      volume: { name: "v", labels: { a: "b" } },
      parent: null,
    });
  });
});

describe("what is refused", () => {
  const refused = { code: "E_VOLUME_BACKUP" };

  async function sample(): Promise<string> {
    const tree = made("tree");
    fs.writeFileSync(join(tree, "file"), Buffer.alloc(3000, 7));
    fs.symlinkSync("/etc/passwd", join(tree, "link"));
    return (await backup(tree)).path;
  }

  it("a byte that is another, wherever it is", async () => {
    const path = await sample();
    const good = fs.readFileSync(path);
    // The last entry, which holds the digest, and the zeros after it are what is not covered by it.
    for (let at = 0; at < good.length - 2048; at += 97) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 1;
      fs.writeFileSync(path, bad);
      await expect(restore(path), `byte ${at}`).rejects.toMatchObject(refused);
    }
  });

  it("a backup that is cut anywhere", async () => {
    const path = await sample();
    const good = fs.readFileSync(path);
    for (let size = 0; size < good.length - 1024; size += 512) {
      fs.writeFileSync(path, good.subarray(0, size));
      await expect(restore(path), `${size} bytes`).rejects.toMatchObject(refused);
    }
  });

  it("what is no backup, an incremental one alone, and a chain in another order", async () => {
    const other = join(folder, "other");
    fs.writeFileSync(other, "hello".repeat(1000));
    await expect(restore(other)).rejects.toMatchObject(refused);
    const tree = made("tree");
    const full = await backup(tree);
    fs.writeFileSync(join(tree, "x"), "");
    const one = await backup(tree, full.path);
    fs.writeFileSync(join(tree, "y"), "");
    const two = await backup(tree, one.path);
    for (const chain of [[one], [full, two], [full, full], [one, full], [full, one, one]]) {
      await expect(restore(...chain.map(({ path }) => path))).rejects.toMatchObject(refused);
    }
    expect(fs.readdirSync(await restore(full.path, one.path, two.path))).toEqual(["x", "y"]);
  });
});
