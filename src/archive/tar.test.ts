// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf, linux } from "../base/index.ts";
import { TarWriter, byteName, extractLayer, packTree, readTar } from "./index.ts";
import type { TarFields, TarHeader } from "./index.ts";

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? it : it.skip;
if (!isRoot) console.log("skipped: owners, devices and trusted attributes need root");

let base = "";
beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), "tare-tar-"));
});
afterAll(() => fs.rmSync(base, { recursive: true, force: true }));

const folder = (name: string): string => {
  const path = join(base, name);
  fs.rmSync(path, { recursive: true, force: true });
  fs.mkdirSync(path, { recursive: true });
  return path;
};

class Collector {
  readonly #chunks: Buffer[] = [];
  write(chunk: Uint8Array): void {
    this.#chunks.push(Buffer.from(chunk));
  }
  all(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

async function* pieces(data: Uint8Array, size: number = 1 << 16): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

interface Read {
  readonly header: TarHeader;
  readonly content: Buffer;
}

async function readAll(data: Uint8Array, size?: number): Promise<Read[]> {
  const entries: Read[] = [];
  for await (const { body, ...header } of readTar(pieces(data, size))) {
    const chunks: Buffer[] = [];
    for await (const chunk of body()) chunks.push(Buffer.from(chunk));
    entries.push({ header, content: Buffer.concat(chunks) });
  }
  return entries;
}

async function write(entries: readonly (TarFields & { readonly body?: Uint8Array })[]): Promise<Buffer> {
  const sink = new Collector();
  const writer = new TarWriter(sink);
  for (const { body = new Uint8Array(0), ...fields } of entries) {
    await writer.entry({ ...fields, size: body.length });
    if (fields.type === "file") await writer.write(body);
  }
  const { size, diffId } = await writer.finish();
  expect(size).toBe(sink.all().length);
  expect(diffId).toBe(digestOf(sink.all()));
  return sink.all();
}

const byteString = (options: { minLength: number; maxLength: number }): fc.Arbitrary<string> =>
  fc.uint8Array({ min: 1, max: 255, ...options }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const part = byteString({ minLength: 1, maxLength: 90 }).map((text) => text.replaceAll("/", "-"));
const name = fc.array(fc.oneof(part, fc.string({ minLength: 1, maxLength: 9, unit: "grapheme-ascii" })), {
  minLength: 1,
  maxLength: 6,
});
const anyEntry = fc.record({
  type: fc.constantFrom("file", "directory", "symlink", "hardlink", "char", "block", "fifo"),
  name: name.map((parts) => parts.map((text) => text.replaceAll("/", "_")).join("/")),
  link: byteString({ minLength: 1, maxLength: 200 }),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 0xffff_fffe }),
  gid: fc.integer({ min: 0, max: 0xffff_fffe }),
  mtime: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  deviceMajor: fc.integer({ min: 0, max: 0o7777777 }),
  deviceMinor: fc.integer({ min: 0, max: 0o7777777 }),
  body: fc.uint8Array({ maxLength: 1500 }),
  xattrs: fc.dictionary(fc.stringMatching(/^user\.[a-z.]{1,20}$/), fc.uint8Array({ maxLength: 40 }), { maxKeys: 3 }),
});

describe("writer and reader", () => {
  it("agree on everything, whatever the chunks", async () => {
    const property = fc.asyncProperty(
      fc.array(anyEntry, { maxLength: 5 }),
      fc.integer({ min: 1, max: 3000 }),
      async (list, size) => {
        const entries = list.map(({ link, body, xattrs, ...rest }) => ({
          ...rest,
          ...(rest.type === "symlink" || rest.type === "hardlink" ? { linkName: link } : {}),
          body: rest.type === "file" ? body : new Uint8Array(0),
          xattrs: new Map(Object.entries(xattrs)),
        })) as (TarFields & { body: Uint8Array })[];
        const read = await readAll(await write(entries), size);
        expect(read.length).toBe(entries.length);
        for (const [index, { header, content }] of read.entries()) {
          const wanted = entries[index];
          const isDevice = wanted?.type === "char" || wanted?.type === "block";
          expect(byteName(header.name, header.rawName).replace(/\/$/, "")).toBe(wanted?.name.replace(/\/$/, ""));
          expect(byteName(header.linkName, header.rawLinkName)).toBe(wanted?.linkName ?? "");
          expect(content).toEqual(Buffer.from(wanted?.body ?? []));
          const { type, mode, uid, gid, mtime } = header;
          expect({ type, mode, uid, gid, mtime }).toEqual({
            type: wanted?.type,
            mode: wanted?.mode,
            uid: wanted?.uid,
            gid: wanted?.gid,
            mtime: wanted?.mtime,
          });
          expect([header.deviceMajor, header.deviceMinor]).toEqual(
            isDevice ? [wanted?.deviceMajor, wanted?.deviceMinor] : [0, 0],
          );
          const values = (xattrs: ReadonlyMap<string, Uint8Array> | undefined): string[] =>
            [...(xattrs ?? [])].map(([key, value]) => `${key}=${Buffer.from(value).toString("hex")}`).sort();
          expect(values(header.xattrs)).toEqual(values(wanted?.xattrs));
        }
      },
    );
    await fc.assert(property, { numRuns: 150 });
  });

  it("give the same bytes for ever: this digest changes only with a new cache generation", async () => {
    const data = await write([
      { type: "directory", name: "app", mode: 0o755, mtime: 0 },
      { type: "file", name: "app/app.py", mode: 0o644, mtime: 1_700_000_000, body: Buffer.from("print(1)\n") },
      {
        type: "file",
        name: `app/${"é".repeat(70)}`,
        mode: 0o644,
        mtime: 0,
        xattrs: new Map([["user.a", Buffer.from([0])]]),
      },
      { type: "symlink", name: "app/link", linkName: "x".repeat(101), mode: 0o777, mtime: 0 },
    ]);
    expect(digestOf(data)).toMatchInlineSnapshot(
      `"sha256:ab5ef4163e5d66eb08de5451361ed29916ab4b9eae4735b1f11ed85b242b71a3"`,
    );
  });
});

/** A tree with everything that a layer can hold. */
function richTree(path: string): void {
  fs.mkdirSync(join(path, "d/e"), { recursive: true });
  fs.writeFileSync(join(path, "d/a-file"), "content");
  fs.linkSync(join(path, "d/a-file"), join(path, "d/e/hard"));
  fs.writeFileSync(join(path, "é".repeat(60)), "unicode");
  fs.writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe, 0x41])]), "bytes");
  fs.mkdirSync(join(path, "l".repeat(200)));
  fs.writeFileSync(join(path, "l".repeat(200), "m".repeat(200)), "long");
  fs.symlinkSync("t".repeat(300), join(path, "link"));
  const sparse = fs.openSync(join(path, "sparse"), "w");
  for (let index = 0; index < 30; index += 1) fs.writeSync(sparse, `piece ${index}`, index * 200_000);
  fs.ftruncateSync(sparse, 7_000_001);
  fs.closeSync(sparse);
  linux.lsetxattr(join(path, "d/a-file"), "user.bytes", Buffer.from([0, 1, 255, 10]));
  if (!isRoot) return;
  const capability = Buffer.from("0100000200200000000000000000000000000000", "hex");
  linux.lsetxattr(join(path, "d/a-file"), "security.capability", capability);
  linux.mknod(join(path, "fifo"), linux.S_IFIFO | 0o600);
  linux.mknod(join(path, "null"), linux.S_IFCHR | 0o666, linux.makeDevice(1, 3));
  fs.chownSync(join(path, "d"), 3_000_000, 4_000_000_000);
  fs.chmodSync(join(path, "d"), 0o2755);
  fs.chmodSync(join(path, "sparse"), 0o4711);
}

/** Every fact of a tree that a layer keeps, as lines. */
function describeTree(path: string): string[] {
  const lines: string[] = [];
  const walk = (place: Buffer, shown: string): void => {
    const stat = fs.lstatSync(place, { bigint: true });
    const seconds = stat.mtimeNs / 1_000_000_000n;
    const facts = [stat.mode.toString(8), stat.uid, stat.gid, stat.isDirectory() ? "" : stat.size, stat.rdev, seconds];
    const extra = stat.isFile()
      ? digestOf(fs.readFileSync(place))
      : stat.isSymbolicLink()
        ? fs.readlinkSync(place)
        : "";
    const xattrs = linux
      .llistxattr(place)
      .sort()
      .map((key) => `${key}=${linux.lgetxattr(place, key)?.toString("hex")}`);
    lines.push([shown, ...facts, stat.isDirectory() ? "" : stat.nlink, extra, ...xattrs].join(" "));
    if (!stat.isDirectory()) return;
    for (const child of fs.readdirSync(place, { encoding: "latin1" }).sort()) {
      walk(Buffer.concat([place, Buffer.from("/"), Buffer.from(child, "latin1")]), `${shown}/${child}`);
    }
  };
  walk(Buffer.from(path), "");
  return lines.slice(1);
}

describe("packing and extracting", () => {
  it("gives the same tree and the same digest again", async () => {
    const [source, target] = [folder("source"), folder("target")];
    richTree(source);
    const sink = new Collector();
    const packed = await packTree(source, sink);
    const extracted = await extractLayer(pieces(sink.all(), 5000), target, { mode: "overlay" });
    expect(describeTree(target)).toEqual(describeTree(source));
    expect(extracted).toMatchObject({
      diffId: packed.diffId,
      size: packed.size,
      entries: packed.entries,
      warnings: [],
    });
    expect(extracted.contentSize).toBe(packed.contentSize);
    expect([packed.hasXattrs, extracted.hasXattrs]).toEqual([true, true]);
    expect((await packTree(target, undefined)).diffId).toBe(packed.diffId);
    expect((await packTree(target, undefined, { xattrs: false })).diffId).not.toBe(packed.diffId);
  });

  asRoot("translates overlay marks both ways and drops their attributes", async () => {
    const [source, target] = [folder("upper"), folder("layer")];
    fs.mkdirSync(join(source, "gone-and-back"));
    fs.writeFileSync(join(source, "gone-and-back/new"), "1");
    linux.lsetxattr(join(source, "gone-and-back"), "trusted.overlay.opaque", Buffer.from("y"));
    linux.lsetxattr(join(source, "gone-and-back"), "trusted.overlay.origin", Buffer.from("1"));
    linux.mknod(join(source, "deleted"), linux.S_IFCHR);
    fs.utimesSync(join(source, "deleted"), 1000, 1000);
    const sink = new Collector();
    const packed = await packTree(source, sink);
    const names = (await readAll(sink.all())).map(({ header }) => header.name);
    expect(names).toEqual([".wh.deleted", "gone-and-back/", "gone-and-back/.wh..wh..opq", "gone-and-back/new"]);
    expect(packed).toMatchObject({ opaque: ["gone-and-back"], whiteouts: 1, hasXattrs: false });
    await extractLayer(pieces(sink.all()), target, { mode: "overlay" });
    expect((await packTree(target, undefined)).diffId).toBe(packed.diffId);
    linux.lsetxattr(source, "trusted.overlay.redirect", Buffer.from("/x"));
    await expect(packTree(source, undefined)).rejects.toMatchObject({ code: "E_UNSUPPORTED" });
  });

  it("leaves out what it is told to, with all below it", async () => {
    const source = folder("partly");
    for (const path of ["dev/pts", "etc", "devices"]) fs.mkdirSync(join(source, path), { recursive: true });
    const sink = new Collector();
    await packTree(source, sink, { exclude: new Set(["dev", "etc"]) });
    expect((await readAll(sink.all())).map(({ header }) => header.name)).toEqual(["devices/"]);
  });

  it("puts entries elsewhere, leaves some out, and keeps what is of another kind", async () => {
    const target = folder("elsewhere");
    fs.mkdirSync(join(target, "in/directory"), { recursive: true });
    fs.writeFileSync(join(target, "in/file"), "old");
    const extract = async (entries: Parameters<typeof write>[0]): Promise<unknown> =>
      await extractLayer(pieces(await write(entries)), target, {
        mode: "plain",
        keepKinds: true,
        rename: (path) => (path === "" ? undefined : `in/${path}`),
      });
    const common = { mode: 0o700, mtime: 1 };
    await extract([
      { type: "directory", name: ".", ...common },
      { type: "file", name: "new", ...common },
      { type: "hardlink", name: "linked", linkName: "new", ...common },
    ]);
    expect(fs.readdirSync(join(target, "in"))).toEqual(["directory", "file", "linked", "new"]);
    expect(fs.statSync(join(target, "in/new")).nlink).toBe(2);
    for (const entry of [{ type: "directory", name: "file" } as const, { type: "file", name: "directory" } as const]) {
      await expect(extract([{ ...entry, ...common }])).rejects.toMatchObject({ code: "E_COPY" });
    }
  });

  it("refuses names that a reader would take for whiteouts, but not in a plain archive", async () => {
    const source = folder("forged");
    fs.writeFileSync(join(source, ".wh.x"), "");
    await expect(packTree(source, undefined)).rejects.toMatchObject({ code: "E_WHITEOUT" });
    expect((await packTree(source, undefined, { whiteouts: "plain" })).entries).toBe(1);
  });

  it("stops when told to", async () => {
    const stopped = AbortSignal.abort();
    const data = await write([{ type: "file", name: "a", mode: 0o600, mtime: 1 }]);
    const run = extractLayer(pieces(data), folder("stopped"), { mode: "plain", signal: stopped });
    await expect(run).rejects.toMatchObject({ code: "E_ABORTED" });
  });

  it("clamps times in the archive and in the tree", async () => {
    const source = folder("clamped");
    for (const [file, time] of [
      ["old", 50],
      ["new", 1000],
    ] as const) {
      fs.writeFileSync(join(source, file), "");
      fs.utimesSync(join(source, file), time, time);
    }
    const sink = new Collector();
    await packTree(source, sink, { clamp: { after: 100, to: 77 } });
    expect((await readAll(sink.all())).map(({ header }) => header.mtime)).toEqual([77, 50]);
    expect(fs.statSync(join(source, "new")).mtimeMs).toBe(77_000);
  });

  it("keeps nanoseconds of an archive that has them, and restores times of directories", async () => {
    const [source, target] = [folder("nano"), folder("nano-out")];
    fs.mkdirSync(join(source, "d"));
    fs.writeFileSync(join(source, "d/f"), "");
    const time = { atime: 0n, mtime: 1_234_567_890_123_456_789n };
    for (const path of ["d/f", "d"]) linux.utimensat(linux.AT_FDCWD, join(source, path), time, 0);
    const data = execFileSync("tar", ["-C", source, "--format=pax", "-cf", "-", "d"]);
    await extractLayer(pieces(data), target, { mode: "plain" });
    for (const path of ["d", "d/f"]) {
      expect(fs.statSync(join(target, path), { bigint: true }).mtimeNs).toBe(time.mtime);
    }
  });

  it("without privileges leaves out owners and devices and says so", async () => {
    const target = folder("unprivileged");
    const data = await write([
      { type: "directory", name: "closed", mode: 0o500, mtime: 9, uid: 7 },
      { type: "file", name: "closed/f", mode: 0o600, mtime: 9, body: Buffer.from("1") },
      { type: "char", name: "dev", mode: 0o600, mtime: 9, deviceMajor: 1, deviceMinor: 3 },
    ]);
    const result = await extractLayer(pieces(data), target, { mode: "plain", privileged: false });
    expect(result.warnings).toContain("device `dev` is left out: not running as root");
    expect(result.warnings.length).toBe(2);
    expect(fs.statSync(join(target, "closed")).mode & 0o777).toBe(0o500);
    expect(fs.readdirSync(target)).toEqual(["closed"]);
  });

  asRoot("gives everything to one owner when asked", async () => {
    const target = folder("owned");
    const data = await write([{ type: "file", name: "a/b", mode: 0o600, mtime: 9, uid: 5 }]);
    await extractLayer(pieces(data), target, { mode: "plain", owner: { uid: 12, gid: 13 } });
    for (const path of ["a", "a/b"]) expect(fs.statSync(join(target, path))).toMatchObject({ uid: 12, gid: 13 });
  });
});

describe("GNU tar", () => {
  for (const format of ["v7", "ustar", "oldgnu", "gnu", "pax"]) {
    for (const sparse of ["", "--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0"]) {
      if (sparse !== "" && format !== "pax") continue;
      it(`archives of format ${format} ${sparse} are read as it reads them`, async () => {
        const [source, ours, theirs] = [folder("gnu"), folder("ours"), folder("theirs")];
        richTree(source);
        if (format === "v7" || format === "ustar") {
          for (const long of ["l".repeat(200), "link", "é".repeat(60)])
            fs.rmSync(join(source, long), { recursive: true });
          if (isRoot) fs.chownSync(join(source, "d"), 1, 2);
          if (format === "v7") for (const node of ["fifo", "null"]) fs.rmSync(join(source, node), { force: true });
        }
        const isPax = format === "pax";
        const xattrs = isPax ? ["--xattrs", "--xattrs-include=*"] : [];
        const flags = [`--format=${format}`, ...(format.includes("gnu") || isPax ? ["-S"] : []), ...xattrs];
        const args = ["-C", source, ...flags, ...(sparse === "" ? [] : [sparse]), "-cf", "-", "."];
        const data = execFileSync("tar", args, { maxBuffer: 1 << 27 });
        await extractLayer(pieces(data, 7777), ours, { mode: "plain" });
        execFileSync("tar", ["-C", theirs, "-p", ...xattrs, "-xf", "-"], { input: data });
        expect(describeTree(ours)).toEqual(describeTree(theirs));
        const read = (await readAll(data)).find(({ header }) => header.name.endsWith("sparse"));
        expect(read?.content.equals(fs.readFileSync(join(source, "sparse")))).toBe(true);
        if (sparse === "--sparse-version=1.0") expect(fs.statSync(join(ours, "sparse")).blocks * 512).toBeLessThan(2e6);
      });
    }
  }

  it("reads our archives: the same tree", async () => {
    const [source, theirs] = [folder("to-gnu"), folder("from-gnu")];
    richTree(source);
    const sink = new Collector();
    await packTree(source, sink);
    const flags = ["--xattrs", "--xattrs-include=*", "-p", "--same-owner"];
    const done = execFileSync("tar", ["-C", theirs, ...flags, "-xf", "-"], {
      input: sink.all(),
      stdio: ["pipe", "pipe", "pipe"],
    });
    expect(done.length).toBe(0);
    expect(describeTree(theirs)).toEqual(describeTree(source));
  });
});
