// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TarWriter } from "../archive/index.ts";
import type { TarFields } from "../archive/index.ts";
import { ContextTree } from "./context-tree.ts";
import { StagedTree } from "./staged-tree.ts";
import { unpackArchive } from "./unpack.ts";

let root: string;
const at = (...names: string[]): string => join(root, ...names);

beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-unpack-"));
  for (const name of ["base/real", "stage", "outside"]) fs.mkdirSync(at(name), { recursive: true });
  fs.writeFileSync(at("base/real/kept"), "kept");
  fs.symlinkSync("real", at("base/link"));
  fs.symlinkSync(at("outside"), at("base/away"));
});
afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

type Entry = TarFields & { readonly text?: string };

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const writer = new TarWriter({ write: (chunk) => void chunks.push(Buffer.from(chunk)) });
  for (const { text, ...fields } of entries) {
    await writer.entry(text === undefined ? fields : { ...fields, size: text.length });
    if (text !== undefined) await writer.write(Buffer.from(text));
  }
  await writer.finish();
  return Buffer.concat(chunks);
}

const file = (name: string, text = name): Entry => ({ type: "file", name, mode: 0o640, mtime: 1000, text });

async function unpack(data: Buffer, destination = ""): Promise<boolean> {
  fs.writeFileSync(at("archive"), data);
  const staged = new StagedTree(new ContextTree(at("base")), at("stage"));
  const entry = new ContextTree(root).lookup("archive");
  if (!entry) throw new Error("no archive");
  const path = (): string => {
    staged.makeDirectories(staged.resolve(destination), { uid: 0, gid: 0, mode: 0o755 });
    return staged.resolve(destination);
  };
  const done = await unpackArchive(entry, { staged, path });
  staged.close();
  return done;
}

const read = (path: string): string => fs.readFileSync(at("stage", path), "utf8");

describe("ADD of an archive", () => {
  it.each([
    ["plain", (data: Buffer) => data],
    ["gzip", (data: Buffer) => gzipSync(data)],
  ])("unpacks a %s one with modes, times and links", async (_kind, pack) => {
    const entries: Entry[] = [
      { type: "directory", name: "dir/", mode: 0o750, mtime: 2000 },
      file("dir/one"),
      { type: "hardlink", name: "dir/two", linkName: "dir/one", mode: 0o640, mtime: 0 },
      { type: "symlink", name: "soft", linkName: "dir/one", mode: 0o777, mtime: 0 },
    ];
    expect(await unpack(pack(await tar(entries)), "to")).toBe(true);
    const facts = fs.statSync(at("stage/to/dir/two"));
    expect([facts.nlink, facts.mode & 0o777, facts.mtimeMs]).toEqual([2, 0o640, 1_000_000]);
    expect([read("to/soft"), fs.statSync(at("stage/to/dir")).mtimeMs]).toEqual(["dir/one", 2_000_000]);
  });

  it.each([
    ["text", Buffer.from("no archive\n")],
    ["nothing", Buffer.alloc(0)],
    ["gzip of text", gzipSync("no archive\n")],
    ["a damaged gzip", Buffer.from("1f8b0800ffffffff", "hex")],
  ])("leaves %s to be copied", async (_what, data) => {
    expect(await unpack(data)).toBe(false);
    expect(fs.readdirSync(at("stage"))).toEqual([]);
  });

  it("fails for one that ends early", async () => {
    const whole = await tar([file("one"), file("two", "x".repeat(2000))]);
    await expect(unpack(whole.subarray(0, 2048))).rejects.toThrow();
  });

  it("lays files over what the image has, through its links", async () => {
    await unpack(await tar([file("link/new"), file("real/kept", "changed")]));
    expect([read("real/new"), read("real/kept")]).toEqual(["link/new", "changed"]);
    expect(fs.lstatSync(at("stage/real")).isDirectory()).toBe(true);
  });

  it("never reaches the host through links of image or archive", async () => {
    const entries = [
      file("away/one"),
      { type: "symlink", name: "mine", linkName: at("outside"), mode: 0o777, mtime: 0 } as const,
      file("mine/two"),
    ];
    await unpack(await tar(entries));
    expect(fs.readdirSync(at("outside"))).toEqual([]);
  });

  it.each([
    ["a name with ..", file("../up")],
    ["a hard link with ..", { type: "hardlink", name: "x", linkName: "../../etc/passwd", mode: 0, mtime: 0 } as const],
    ["a whiteout device", { type: "char", name: "x", mode: 0, mtime: 0, deviceMajor: 0, deviceMinor: 0 } as const],
    ["a hard link to nothing", { type: "hardlink", name: "x", linkName: "nothing", mode: 0, mtime: 0 } as const],
  ])("refuses %s", async (_what, entry) => {
    await expect(unpack(await tar([entry]))).rejects.toMatchObject({ code: expect.stringMatching(/^E_TAR_/) });
  });
});
