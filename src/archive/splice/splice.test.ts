// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as zlib from "node:zlib";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_EPOCH, digestOf, isTareError } from "../../base/index.ts";
import { openZip, measurePlanned, packAndSplice, packTree, splicePlanned, spliceTree } from "../index.ts";
import type {
  ContentObserver,
  PlannedContent,
  PlannedFiles,
  SourceOf,
  SpliceLayout,
  SpliceOptions,
  SpliceResult,
  ZipFile,
} from "../index.ts";
import { makeZip } from "../zip/fixture.ts";
import type { FixtureEntry } from "../zip/fixture.ts";

let base = "";
beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), "tare-splice-"));
});
afterAll(() => fs.rmSync(base, { recursive: true, force: true }));

const LAYOUTS: readonly SpliceLayout[] = ["ms", "m1", "estargz"];
const { constants } = zlib;

/** A file of a tree, and how it lies in the zip. */
interface FileCase {
  readonly path: string;
  readonly content: Buffer;
  /** Undefined: only on disk. */
  readonly entry?: Partial<FixtureEntry>;
}

class Collector {
  readonly #chunks: Buffer[] = [];
  write(chunk: Uint8Array): void {
    this.#chunks.push(Buffer.from(chunk));
  }
  all(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

function writeTree(root: string, files: readonly FileCase[]): void {
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(root, { recursive: true });
  for (const [index, { path, content }] of files.entries()) {
    fs.mkdirSync(join(root, dirname(path)), { recursive: true });
    fs.writeFileSync(join(root, path), content, { mode: index % 3 === 0 ? 0o755 : 0o644 });
  }
  const settle = (path: string): void => {
    for (const one of fs.readdirSync(path, { withFileTypes: true })) {
      if (one.isDirectory()) settle(join(path, one.name));
      fs.lutimesSync(join(path, one.name), DEFAULT_EPOCH, DEFAULT_EPOCH);
    }
  };
  settle(root);
}

async function packed(root: string): Promise<Buffer> {
  const sink = new Collector();
  await packTree(root, sink);
  return sink.all();
}

interface Spliced {
  readonly blob: Buffer;
  readonly result: SpliceResult;
}

async function splice(root: string, zipBytes: Buffer, options: SpliceOptions): Promise<Spliced> {
  const path = join(base, "wheel.whl");
  fs.writeFileSync(path, zipBytes);
  const zip = openZip(path);
  const sourceOf: SourceOf = (file) => {
    const entry = zip.find(file);
    return entry === undefined ? undefined : { zip, entry };
  };
  const sink = new Collector();
  try {
    const result = await spliceTree(root, sourceOf, sink, options);
    return { blob: sink.all(), result };
  } finally {
    zip.close();
  }
}

const zipOf = (files: readonly FileCase[]): Buffer =>
  makeZip(
    files.flatMap(({ path, content, entry }) => (entry === undefined ? [] : [{ name: path, content, ...entry }])),
  );

/** All that must hold of a blob. */
function check({ blob, result }: Spliced, tar: Buffer, layout: SpliceLayout): void {
  const opened = zlib.gunzipSync(blob);
  expect(result.digest).toBe(digestOf(blob));
  expect(result.size).toBe(blob.length);
  expect(result.diffIdSize).toBe(opened.length);
  if (layout !== "estargz") {
    expect(opened.equals(tar)).toBe(true);
    if (layout === "m1") expect(result.members).toBe(1);
    return;
  }
  expect(opened.subarray(0, tar.length - 1024).equals(tar.subarray(0, -1024))).toBe(true);
  expect(result.toc?.diffId).toBe(digestOf(opened));
  expect(result.toc?.plainDiffId).toBe(digestOf(tar));
}

interface Toc {
  readonly version: number;
  readonly entries: readonly {
    readonly name: string;
    readonly type: string;
    readonly size?: number;
    readonly offset?: number;
    readonly digest?: string;
    readonly chunkDigest?: string;
    readonly linkName?: string;
    readonly modtime?: string;
  }[];
}

/** Opens a gzip stream in the middle, as a lazy reader does. */
function openAt(blob: Buffer, offset: number, size: number): Buffer {
  return zlib.gunzipSync(blob.subarray(offset, -51), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, size);
}

function readToc(blob: Buffer): { toc: Toc; json: Buffer } {
  const footer = blob.subarray(-51);
  expect(footer.subarray(0, 16).toString("hex")).toBe("1f8b08040000000000ff1a0053471600");
  expect(footer.toString("latin1", 32, 38)).toBe("STARGZ");
  const tar = openAt(blob, parseInt(footer.toString("latin1", 16, 32), 16), Infinity);
  expect(tar.toString("latin1", 0, 17)).toBe("stargz.index.json");
  const size = parseInt(tar.toString("latin1", 124, 135), 8);
  const json = tar.subarray(512, 512 + size);
  return { toc: JSON.parse(json.toString()) as Toc, json };
}

const noise = (size: number): Buffer => {
  const parts: Buffer[] = [];
  for (let index = 0; index * 32 < size; index += 1)
    parts.push(createHash("sha256").update(`${size} ${index}`).digest());
  return Buffer.concat(parts).subarray(0, size);
};
const text = (size: number): Buffer => Buffer.alloc(size, noise(900).toString("hex"));

const DEFLATE: readonly (readonly [string, zlib.ZlibOptions])[] = [
  ...Array.from({ length: 10 }, (_, level): [string, zlib.ZlibOptions] => [`level ${level}`, { level }]),
  ["fixed codes", { strategy: constants.Z_FIXED }],
  ["literals only", { strategy: constants.Z_HUFFMAN_ONLY }],
  ["runs", { strategy: constants.Z_RLE }],
  ["many blocks", { memLevel: 1 }],
];

/** DEFLATE data with empty blocks inside, and blocks that start anywhere in a byte. */
function flushed(content: Buffer, flush: number): Buffer {
  const half = content.length >> 1;
  const first = zlib.deflateRawSync(content.subarray(0, half), { finishFlush: flush });
  return Buffer.concat([first, zlib.deflateRawSync(content.subarray(half))]);
}

/** Contents of every kind and size, compressed in every way. */
function everyKind(): FileCase[] {
  const files: FileCase[] = [{ path: "pkg/__init__.py", content: Buffer.alloc(0), entry: {} }];
  for (const [title, deflate] of DEFLATE) {
    for (const content of [Buffer.from("x"), text(4000), noise(3000), text(200_000), noise(90_000)]) {
      files.push({ path: `pkg/${title}/${content.length}`, content, entry: { deflate } });
    }
  }
  for (const [title, flush] of [
    ["full", constants.Z_FULL_FLUSH],
    ["sync", constants.Z_SYNC_FLUSH],
  ] as const) {
    files.push({ path: `pkg/${title}`, content: text(9000), entry: { raw: flushed(text(9000), flush) } });
  }
  files.push({ path: "pkg/stored", content: noise(200_000), entry: { method: 0 } });
  files.push({ path: "pkg/stored-small", content: text(10), entry: { method: 0 } });
  files.push({ path: "pkg/zstd", content: text(50_000), entry: { method: 93 } });
  files.push({ path: "pkg/descriptor", content: text(5000), entry: { descriptor: "signed" } });
  files.push({ path: "pkg/larger than the window.so", content: noise(700_000), entry: {} });
  files.push({ path: `pkg/${"long".repeat(50)}/é`, content: text(5000), entry: {} });
  files.push({ path: "pkg/disk.pyc", content: text(300_000) }, { path: "RECORD", content: text(2000) });
  return files;
}

describe("spliceTree", () => {
  it("gives packTree's bytes for every way of compressing", async () => {
    const files = everyKind();
    const root = join(base, "kinds");
    writeTree(root, files);
    fs.symlinkSync("stored", join(root, "pkg/link"));
    fs.linkSync(join(root, "pkg/stored"), join(root, "pkg/stored-too"));
    const tar = await packed(root);
    for (const layout of LAYOUTS) {
      for (const verify of [false, true]) {
        const one = await splice(root, zipOf(files), { layout, verify });
        check(one, tar, layout);
        // Not spliced: empty, zstd, and the two on disk.
        expect(one.result.spliced).toBe(files.length - 4);
      }
    }
  });

  it("gives packTree's bytes for any tree", async () => {
    const name = fc
      .stringMatching(/^[a-zé_.]{1,12}$/)
      .filter((one) => one !== "." && one !== ".." && !one.startsWith(".wh."));
    const entry = fc.oneof(
      fc.constant(undefined),
      fc.constantFrom(0, 8, 93).map((method) => ({ method })),
      fc.constantFrom(...DEFLATE).map(([, deflate]) => ({ deflate })),
    );
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
      fc.integer({ min: 0, max: 80_000 }).map((size) => (size % 2 === 0 ? text(size) : noise(size))),
    );
    const file = fc.record({ folder: name, name, content, entry });
    const files = fc.uniqueArray(file, {
      selector: (one) => `${one.folder}/${one.name}`.normalize("NFC"),
      maxLength: 12,
    });
    const root = join(base, "any");
    await fc.assert(
      fc.asyncProperty(files, async (list) => {
        const cases = list.map(({ folder, name: own, ...rest }) => ({
          path: `d${folder}/${own}`,
          content: rest.content,
          ...(rest.entry === undefined ? {} : { entry: rest.entry }),
        }));
        writeTree(root, cases);
        const tar = await packed(root);
        for (const layout of LAYOUTS) check(await splice(root, zipOf(cases), { layout }), tar, layout);
      }),
      { numRuns: 40 },
    );
  });

  it("makes few members by default", async () => {
    const small = Array.from({ length: 50 }, (_, index) => ({
      path: `s${index}`,
      content: text(3000 + index),
      entry: {},
    }));
    const files = [...small, { path: "s2.so", content: noise(100_000), entry: {} }];
    const root = join(base, "members");
    writeTree(root, files);
    const { result } = await splice(root, zipOf(files), {});
    expect(result.members).toBe(3);
    expect(result.spliced).toBe(51);
  });

  it("always gives these bytes", async () => {
    // A digest in a registry is found again only while this holds.
    const files = [
      { path: "a/disk", content: text(30_000) },
      { path: "b", content: noise(70_000), entry: { method: 0 } },
    ];
    const root = join(base, "pinned");
    writeTree(root, files);
    const { result } = await splice(root, zipOf(files), {});
    expect(result.digest).toBe("sha256:6a8d1debb264af3a4a9d35b152dd5e1a05f5785358616c31e35899eba23f613d");
  });

  it("is opened by gzip and listed by tar", async () => {
    const files = Array.from({ length: 9 }, (_, index) => ({ path: `d/f${index}`, content: text(30_000), entry: {} }));
    const root = join(base, "tools");
    writeTree(root, files);
    for (const layout of LAYOUTS) {
      const { blob } = await splice(root, zipOf(files), { layout });
      const path = join(base, "blob.tar.gz");
      fs.writeFileSync(path, blob);
      execFileSync("gzip", ["-t", path]);
      const names = execFileSync("tar", ["tzf", path], { encoding: "utf8" }).split("\n");
      expect(names).toContain("d/f8");
    }
  });
});

describe("estargz", () => {
  it("has a table by which each file is read alone", async () => {
    const files: FileCase[] = [
      { path: "a/empty", content: Buffer.alloc(0), entry: {} },
      { path: "a/small", content: text(5000), entry: {} },
      { path: "a/large", content: noise(200_000), entry: {} },
      { path: "a/stored", content: text(100_000), entry: { method: 0 } },
      { path: "a/disk", content: text(100_000) },
    ];
    const root = join(base, "toc");
    writeTree(root, files);
    fs.symlinkSync("small", join(root, "a/link"));
    const asked: string[] = [];
    const digestOfFile = (path: string): undefined => void asked.push(path);
    const { blob, result } = await splice(root, zipOf(files), { layout: "estargz", digestOf: digestOfFile });
    const { toc, json } = readToc(blob);
    expect(result.toc?.digest).toBe(digestOf(json));
    expect(toc.version).toBe(1);
    expect(toc.entries.map((entry) => [entry.name, entry.type])).toEqual([
      ["a/", "dir"],
      ["a/disk", "reg"],
      ["a/empty", "reg"],
      ["a/large", "reg"],
      ["a/link", "symlink"],
      ["a/small", "reg"],
      ["a/stored", "reg"],
    ]);
    expect(asked).toEqual(["a/disk", "a/large", "a/small", "a/stored"]);
    for (const { path, content } of files) {
      const entry = toc.entries.find((one) => one.name === path);
      expect(entry?.digest).toBe(digestOf(content));
      if (content.length === 0) continue;
      expect(entry?.chunkDigest).toBe(digestOf(content));
      expect(openAt(blob, entry?.offset ?? 0, content.length).equals(content)).toBe(true);
    }
  });
});

describe("packAndSplice", () => {
  const open = (files: readonly FileCase[], seen: Map<string, string>): { files: PlannedFiles; zip: ZipFile } => {
    const path = join(base, "planned.whl");
    fs.writeFileSync(path, zipOf(files));
    const zip = openZip(path);
    const planned = files.map(({ path: name, content, entry }, index): [string, PlannedContent] => {
      const found = entry && zip.find(name);
      const hash = createHash("sha256");
      const observe = (): ContentObserver => ({
        update: (chunk) => void hash.update(chunk),
        end: () => void seen.set(name, hash.digest("hex")),
      });
      const file = { mode: 0o644, size: content.length, content: found ? { zip, entry: found } : content, observe };
      return [name, index % 7 === 3 ? { ...file, isLoose: true } : file];
    });
    return { files: new Map(planned), zip };
  };

  it("is measurePlanned and splicePlanned in one go, and its observers see all contents", async () => {
    const cases = everyKind();
    const options = { time: DEFAULT_EPOCH };
    const results = await Promise.all(
      (["one", "two"] as const).map(async (how) => {
        const [sink, seen] = [new Collector(), new Map<string, string>()];
        const { files, zip } = open(cases, seen);
        try {
          if (how === "one") return { ...(await packAndSplice(files, sink, options)), bytes: sink.all(), seen };
          const tar = await measurePlanned(files, options);
          const again = open(cases, new Map());
          const blob = await splicePlanned(again.files, sink, options);
          again.zip.close();
          return { tar, blob, bytes: sink.all(), seen };
        } finally {
          zip.close();
        }
      }),
    );
    const [one, two] = results;
    expect(one).toEqual(two);
    expect(one?.blob.spliced).toBeGreaterThan(50);
    expect(one?.seen).toEqual(
      new Map(cases.map(({ path, content }) => [path, createHash("sha256").update(content).digest("hex")])),
    );
  });

  it("refuses what an observer refuses", async () => {
    const { files, zip } = open([{ path: "a", content: text(900), entry: {} }], new Map());
    const refuse = (): ContentObserver => ({
      update: () => undefined,
      end: () => {
        throw new Error("not this");
      },
    });
    const changed = new Map([...files].map(([path, file]) => [path, { ...file, observe: refuse }]));
    await expect(packAndSplice(changed, new Collector(), { time: 0 })).rejects.toThrow("not this");
    zip.close();
  });
});

describe("hostile zips", () => {
  const content = text(20_000);
  const file = (entry: Partial<FixtureEntry>): FileCase[] => [{ path: "f", content, entry }];

  it("an entry of another size is refused", async () => {
    const root = join(base, "sizes");
    writeTree(root, file({}));
    const zip = makeZip([{ name: "f", content: text(19_999) }]);
    await expect(splice(root, zip, {})).rejects.toMatchObject({ code: "E_ZIP_CONTENT" });
  });

  it("a small entry that is no whole stream is refused", async () => {
    const root = join(base, "damaged");
    writeTree(root, file({}));
    const whole = zlib.deflateRawSync(content);
    for (const raw of [
      whole.subarray(0, -2),
      Buffer.concat([whole, Buffer.from("x")]),
      Buffer.from([7, 7]),
      Buffer.alloc(0),
    ]) {
      for (const layout of LAYOUTS) {
        await expect(splice(root, zipOf(file({ raw })), { layout })).rejects.toMatchObject({ code: "E_ZIP_CONTENT" });
      }
    }
  });

  it("a lying checksum of a small entry is refused", async () => {
    const root = join(base, "lying");
    writeTree(root, file({}));
    const zip = zipOf(file({ local: { crc32: 1 }, central: { crc32: 1 } }));
    for (const layout of LAYOUTS) {
      await expect(splice(root, zip, { layout })).rejects.toMatchObject({ code: "E_ZIP_CONTENT" });
    }
  });

  it("a lying checksum of a large entry is refused with `verify`, and shows at the reader without", async () => {
    const root = join(base, "lying-large");
    const large: FileCase[] = [
      { path: "f", content: noise(200_000), entry: { local: { crc32: 1 }, central: { crc32: 1 } } },
    ];
    writeTree(root, large);
    for (const layout of ["ms", "estargz"] as const) {
      const zip = zipOf(large);
      await expect(splice(root, zip, { layout, verify: true })).rejects.toMatchObject({ code: "E_ZIP_CONTENT" });
      const { blob } = await splice(root, zip, { layout });
      expect(() => zlib.gunzipSync(blob)).toThrow("incorrect data check");
    }
  });

  it("flipped bits never give wrong bytes", async () => {
    const files: FileCase[] = [
      { path: "a", content: text(800), entry: {} },
      { path: "b", content: text(500), entry: { method: 0 } },
      { path: "c", content: noise(300), entry: { deflate: { strategy: constants.Z_FIXED } } },
    ];
    const root = join(base, "flips");
    writeTree(root, files);
    const tar = await packed(root);
    const zip = zipOf(files);
    let same = 0;
    for (let bit = 5; bit < zip.length * 8; bit += 11) {
      const flipped = Buffer.from(zip);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      for (const verify of [false, true]) {
        const opened = await splice(root, flipped, { verify }).then(
          ({ blob }) => openedOrNothing(blob),
          (error: unknown) => (isTareError(error) ? undefined : Promise.reject(error)),
        );
        if (opened !== undefined) expect(opened.equals(tar)).toBe(true);
        if (opened !== undefined) same += 1;
      }
    }
    expect(same).toBeGreaterThan(50);
  });
});

function openedOrNothing(blob: Buffer): Buffer | undefined {
  try {
    return zlib.gunzipSync(blob);
  } catch {
    return undefined;
  }
}
