// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as yauzl from "yauzl";
import { isTareError } from "../../base/index.ts";
import type { ErrorCode } from "../../base/index.ts";
import { openZip } from "../index.ts";
import type { ZipFile, ZipLimits } from "../index.ts";
import { makeZip } from "./fixture.ts";
import type { FixtureEnd, FixtureEntry } from "./fixture.ts";

let base = "";
beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), "tare-zip-"));
});
afterAll(() => fs.rmSync(base, { recursive: true, force: true }));

function withZip<T>(bytes: Buffer, use: (zip: ZipFile) => T, limits?: ZipLimits): T {
  const path = join(base, "archive.zip");
  fs.writeFileSync(path, bytes);
  const zip = openZip(path, limits);
  try {
    return use(zip);
  } finally {
    zip.close();
  }
}

const readAll = (bytes: Buffer, limits?: ZipLimits): Map<string, Buffer> =>
  withZip(bytes, (zip) => new Map(zip.entries.map((entry) => [entry.name, zip.readEntry(entry)])), limits);

function refusal(run: () => unknown): ErrorCode | "nothing" {
  try {
    run();
    return "nothing";
  } catch (error) {
    if (isTareError(error)) return error.code;
    throw error;
  }
}

function zip64Extra(...values: number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  for (const [index, value] of values.entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return extra;
}

const TEXT = Buffer.from("some text, some more text, and some text again\n".repeat(20));
const PACKED = zlib.deflateRawSync(TEXT);
const FULL = 0xffffffff;

describe("what is read", () => {
  const cases: readonly (readonly [string, FixtureEntry])[] = [
    ["deflate", { name: "a", content: TEXT }],
    ["stored", { name: "a", content: TEXT, method: 0 }],
    ["zstd", { name: "a", content: TEXT, method: 93 }],
    ["an empty file", { name: "a" }],
    ["an empty stored file", { name: "a", method: 0 }],
    ["a name that is not ASCII", { name: "é/ü", content: TEXT }],
    ["a data descriptor", { name: "a", content: TEXT, descriptor: "plain" }],
    ["a signed data descriptor", { name: "a", content: TEXT, descriptor: "signed" }],
    ["a zip64 data descriptor", { name: "a", content: TEXT, descriptor: "wide" }],
    [
      "zip64 sizes in the local header",
      {
        name: "a",
        content: TEXT,
        local: { size: FULL, compressedSize: FULL, extra: zip64Extra(TEXT.length, PACKED.length) },
      },
    ],
    [
      "zip64 sizes and offset in the directory",
      {
        name: "a",
        content: TEXT,
        central: { size: FULL, compressedSize: FULL, offset: FULL, extra: zip64Extra(TEXT.length, PACKED.length, 0) },
      },
    ],
    [
      "a long extra field",
      { name: "a", content: TEXT, local: { extra: Buffer.from([9, 9, 100, 0, ...Buffer.alloc(100)]) } },
    ],
  ];
  for (const [title, entry] of cases) {
    it(title, async () => {
      const bytes = makeZip([entry, { name: "last", content: "x" }]);
      const contents = readAll(bytes);
      expect([...contents.values()][0]).toEqual(Buffer.from(entry.content ?? ""));
      expect(contents.get("last")?.toString()).toBe("x");
    });
  }

  it("says mode, directory and comment", () => {
    const entries = [
      { name: "d/", method: 0, mode: 0o040755 },
      { name: "d/x", content: "1", mode: 0o100755 },
      { name: "./d//y", content: "2", mode: 0 },
    ];
    withZip(makeZip(entries, { comment: Buffer.from("hello"), zip64: true }), (zip) => {
      expect(zip.entries.map(({ name, mode, isDirectory }) => [name, mode, isDirectory])).toEqual([
        ["d/", 0o040755, true],
        ["d/x", 0o100755, false],
        ["d/y", undefined, false],
      ]);
      expect(zip.entries[2]?.rawName.toString()).toBe("./d//y");
      expect(zip.comment.toString()).toBe("hello");
      expect(zip.find("d/x")?.size).toBe(1);
      expect(zip.find("x")).toBeUndefined();
    });
  });

  it("an archive without entries", () => expect(readAll(makeZip([])).size).toBe(0));

  it("large contents in pieces", async () => {
    const content = Buffer.alloc(3_000_000, TEXT);
    for (const method of [0, 8, 93]) {
      const bytes = makeZip([{ name: "big", content, method }]);
      const path = join(base, `big-${method}`);
      fs.writeFileSync(path, bytes);
      const zip = openZip(path);
      const out = join(base, "out");
      const descriptor = fs.openSync(out, "w");
      for (const entry of zip.entries) await zip.extractEntry(entry, descriptor);
      fs.closeSync(descriptor);
      zip.close();
      expect(fs.readFileSync(out).equals(content)).toBe(true);
    }
  });
});

const at0: FixtureEntry = { name: "a", content: TEXT };
const plain = (name: string | Buffer): FixtureEntry[] => [{ name, content: "x" }];

describe("what is refused", () => {
  const cases: readonly (readonly [string, ErrorCode, readonly FixtureEntry[], FixtureEnd?])[] = [
    ["a way up", "E_ZIP_NAME", plain("../a")],
    ["a way up inside", "E_ZIP_NAME", plain("a/../../b")],
    ["an absolute name", "E_ZIP_NAME", plain("/etc/passwd")],
    ["a backslash", "E_ZIP_NAME", plain("a\\..\\b")],
    ["a drive", "E_ZIP_NAME", plain("C:/x")],
    ["a NUL", "E_ZIP_NAME", plain("a\0b")],
    ["an empty name", "E_ZIP_NAME", plain("")],
    ["the root", "E_ZIP_NAME", plain("./")],
    ["a name that is not UTF-8", "E_ZIP_NAME", plain(Buffer.from([0x61, 0xff]))],
    ["a long component", "E_ZIP_NAME", plain("x".repeat(256))],
    ["a long name", "E_ZIP_NAME", plain("x/".repeat(2049))],
    ["a name without a character set", "E_ZIP_AMBIGUOUS", [{ name: "é", content: "x", flags: 0 }]],
    ["two of one name", "E_ZIP_AMBIGUOUS", [...plain("a"), ...plain("a")]],
    ["two of one cleaned name", "E_ZIP_AMBIGUOUS", [...plain("a/b"), ...plain("a/./b")]],
    ["two of one name in other Unicode forms", "E_ZIP_AMBIGUOUS", [...plain("\u00e9"), ...plain("e\u0301")]],
    ["a file and a directory", "E_ZIP_AMBIGUOUS", [...plain("a"), { name: "a/", method: 0 }]],
    ["a file with files below", "E_ZIP_AMBIGUOUS", [...plain("a/b/c"), ...plain("a/b")]],
    [
      "a second Unicode name",
      "E_ZIP_AMBIGUOUS",
      [{ ...at0, central: { extra: Buffer.from([0x75, 0x70, 6, 0, 1, 0, 0, 0, 0, 0x62]) } }],
    ],
    ["encryption", "E_ZIP_UNSUPPORTED", [{ ...at0, flags: 1 }]],
    ["strong encryption", "E_ZIP_UNSUPPORTED", [{ ...at0, flags: 0x41 }]],
    ["encryption in the local header", "E_ZIP_AMBIGUOUS", [{ ...at0, local: { flags: 1 } }]],
    ["a symbolic link", "E_ZIP_UNSUPPORTED", [{ name: "a", content: "/etc", mode: 0o120777 }]],
    ["a device", "E_ZIP_UNSUPPORTED", [{ name: "a", mode: 0o020666 }]],
    ["lzma", "E_ZIP_UNSUPPORTED", [{ ...at0, central: { method: 14 } }]],
    ["a directory by mode only", "E_ZIP_AMBIGUOUS", [{ name: "a", mode: 0o040755 }]],
    ["a directory with content", "E_ZIP", [{ name: "a/", content: "x" }]],
    ["other compressions in the headers", "E_ZIP_AMBIGUOUS", [{ ...at0, local: { method: 0 } }]],
    ["other names in the headers", "E_ZIP_AMBIGUOUS", [{ ...at0, local: { name: Buffer.from("b") } }]],
    ["other sizes in the headers", "E_ZIP_AMBIGUOUS", [{ ...at0, local: { size: 1 } }]],
    ["another checksum in the local header", "E_ZIP_AMBIGUOUS", [{ ...at0, local: { crc32: 1 } }]],
    [
      "zeros for sizes without a descriptor",
      "E_ZIP_AMBIGUOUS",
      [{ ...at0, local: { size: 0, compressedSize: 0, crc32: 0 } }],
    ],
    ["a lying checksum", "E_ZIP_CONTENT", [{ ...at0, local: { crc32: 1 }, central: { crc32: 1 } }]],
    ["a size that is too small", "E_ZIP_CONTENT", [{ ...at0, local: { size: 5 }, central: { size: 5 } }]],
    ["a size that is too large", "E_ZIP_CONTENT", [{ ...at0, local: { size: 5000 }, central: { size: 5000 } }]],
    [
      "garbage after the compressed data",
      "E_ZIP_CONTENT",
      [{ ...at0, raw: Buffer.concat([PACKED, Buffer.from("hidden")]) }],
    ],
    ["compressed data that is cut", "E_ZIP_CONTENT", [{ ...at0, raw: PACKED.subarray(0, -3) }]],
    ["no compressed data", "E_ZIP_CONTENT", [{ name: "a", raw: Buffer.alloc(0) }]],
    [
      "two zstd frames",
      "E_ZIP_CONTENT",
      [
        {
          name: "a",
          content: "aa",
          method: 93,
          raw: Buffer.concat([zlib.zstdCompressSync("a"), zlib.zstdCompressSync("a")]),
        },
      ],
    ],
    ["stored with two sizes", "E_ZIP", [{ name: "a", content: TEXT, method: 0, central: { size: 5 } }]],
    ["a compressed size beyond the end", "E_ZIP", [{ ...at0, central: { compressedSize: 1e9 } }]],
    [
      "overlapping entries",
      "E_ZIP_AMBIGUOUS",
      [{ ...at0, central: { compressedSize: PACKED.length + 40 } }, ...plain("b"), ...plain("c")],
    ],
    [
      "two entries for one header",
      "E_ZIP_AMBIGUOUS",
      [at0, { ...at0, name: "b", isOnlyCentral: true, central: { offset: 0 } }],
    ],
    ["garbage between entries", "E_ZIP_AMBIGUOUS", [{ ...at0, after: Buffer.alloc(9) }, ...plain("b")]],
    ["a hidden entry", "E_ZIP_AMBIGUOUS", [{ ...at0, after: makeZip(plain("h")).subarray(0, 34) }, ...plain("b")]],
    ["garbage before the directory", "E_ZIP_AMBIGUOUS", [at0], { beforeDirectory: Buffer.alloc(7) }],
    ["garbage after the directory", "E_ZIP_AMBIGUOUS", [at0], { afterDirectory: Buffer.alloc(7) }],
    [
      "garbage before the first entry",
      "E_ZIP_AMBIGUOUS",
      [{ ...at0, central: { offset: 5 } }],
      { before: Buffer.alloc(5) },
    ],
    ["garbage after the end", "E_ZIP_AMBIGUOUS", [at0], { after: Buffer.alloc(30) }],
    ["an end record in the comment", "E_ZIP_AMBIGUOUS", [at0], { comment: makeZip([]) }],
    ["a wrong data descriptor", "E_ZIP_AMBIGUOUS", [{ ...at0, descriptor: "plain", after: Buffer.alloc(4) }]],
    ["a missing data descriptor", "E_ZIP_AMBIGUOUS", [{ ...at0, flags: 8 }]],
    ["a descriptor flag in one header", "E_ZIP_AMBIGUOUS", [{ ...at0, local: { flags: 8 } }]],
    ["several disks", "E_ZIP_UNSUPPORTED", [at0], { disk: 1 }],
    ["an entry on another disk", "E_ZIP_UNSUPPORTED", [{ ...at0, central: { disk: 3 } }]],
    ["fewer entries than announced", "E_ZIP", [at0], { count: 2 }],
    ["more entries than announced", "E_ZIP_AMBIGUOUS", [at0, ...plain("b")], { count: 1 }],
    ["a directory beyond the end", "E_ZIP", [at0], { offset: 1e6 }],
    ["a huge directory", "E_ZIP", [at0], { size: 4e9 }],
    ["zip64 with another count", "E_ZIP_AMBIGUOUS", [at0], { zip64: { count: 2 } }],
    ["zip64 with another offset", "E_ZIP_AMBIGUOUS", [at0], { zip64: { offset: 0 } }],
    ["zip64 with another record size", "E_ZIP_AMBIGUOUS", [at0], { zip64: { recordSize: 99 } }],
    ["a missing zip64 size", "E_ZIP", [{ ...at0, central: { size: FULL } }]],
    [
      "a zip64 size out of range",
      "E_ZIP",
      [{ ...at0, central: { size: FULL, extra: Buffer.from([1, 0, 8, 0, 255, 255, 255, 255, 255, 255, 255, 255]) } }],
    ],
    [
      "zip64 sizes twice",
      "E_ZIP_AMBIGUOUS",
      [{ ...at0, central: { size: FULL, extra: Buffer.concat([zip64Extra(1), zip64Extra(2)]) } }],
    ],
    ["a cut extra field", "E_ZIP", [{ ...at0, central: { extra: Buffer.from([1, 0, 9, 0, 1]) } }]],
    ["a bomb", "E_BOMB", [{ name: "a", content: "x", central: { size: 1e9 } }]],
    [
      "too much in all",
      "E_ZIP_LIMIT",
      Array.from({ length: 800 }, (_, index) => ({ name: `${index}`, central: { size: 99e6 } })),
    ],
  ];
  for (const [title, code, entries, end] of cases) {
    it(title, () => expect(refusal(() => readAll(makeZip(entries, end)))).toBe(code));
  }

  it("every cut of an archive", () => {
    const bytes = makeZip([at0, ...plain("b")], { zip64: true, comment: Buffer.from("end") });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(refusal(() => readAll(bytes.subarray(0, length)))).toMatch(/^E_ZIP/);
    }
  });

  it("what is beyond a limit", () => {
    const bytes = makeZip([at0, ...plain("b")]);
    expect(refusal(() => readAll(bytes, { entries: 1 }))).toBe("E_ZIP_LIMIT");
    expect(refusal(() => readAll(bytes, { directory: 20 }))).toBe("E_ZIP_LIMIT");
    expect(refusal(() => readAll(bytes, { path: 0 }))).toBe("E_ZIP_NAME");
    expect(refusal(() => withZip(bytes, (zip) => zip.entries.map((entry) => zip.readEntry(entry, 10))))).toBe(
      "E_ZIP_LIMIT",
    );
  });

  it("a second zstd frame, whatever the size of the first one", async () => {
    for (const content of [Buffer.from("a"), Buffer.alloc(3_000_000, "ab")]) {
      const raw = Buffer.concat([zlib.zstdCompressSync(content), zlib.zstdCompressSync("more")]);
      const path = join(base, "two-frames");
      fs.writeFileSync(path, makeZip([{ name: "a", content, method: 93, raw }]));
      const zip = openZip(path);
      for (const entry of zip.entries) {
        const extracting = zip.extractEntry(entry, { write: () => undefined });
        await expect(extracting).rejects.toMatchObject({ code: "E_ZIP_CONTENT" });
      }
      zip.close();
    }
  });

  it("lies about large contents, before more than announced is written", async () => {
    const content = Buffer.alloc(3_000_000, TEXT);
    for (const [lies, method] of [
      [{ size: 2_000_000 }, 8],
      [{ crc32: 7 }, 8],
      [{ size: 4_000_000 }, 93],
      [{ size: 2_000_000 }, 93],
    ] as const) {
      const path = join(base, "lying");
      fs.writeFileSync(path, makeZip([{ name: "a", content, method, local: lies, central: lies }]));
      const zip = openZip(path);
      let written = 0;
      for (const entry of zip.entries) {
        const extracting = zip.extractEntry(entry, { write: (chunk) => void (written += chunk.length) });
        await expect(extracting).rejects.toMatchObject({ code: "E_ZIP_CONTENT" });
        expect(written).toBeLessThanOrEqual(entry.size);
      }
      zip.close();
    }
  });

  it("a folder, a missing file", () => {
    expect(refusal(() => openZip(base))).toBe("E_ZIP");
    expect(refusal(() => openZip(join(base, "nothing")))).toBe("E_IO");
  });
});

const entryName = fc.stringMatching(/^[a-z0-9é]{1,8}(\/[a-z0-9é]{1,8}){0,3}$/);
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ maxLength: 20 }).map((text) => new TextEncoder().encode(text.repeat(50))),
);

describe("any archive", () => {
  it("lists what yauzl lists", async () => {
    const entry = fc.record({ name: entryName, content, method: fc.constantFrom(0, 8) });
    const entries = fc.uniqueArray(entry, { selector: (one) => one.name.split("/")[0], maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(entries, fc.boolean(), async (list, zip64) => {
        const bytes = makeZip(
          list.map((one) => ({ ...one, content: Buffer.from(one.content) })),
          { zip64 },
        );
        const ours = withZip(bytes, (zip) =>
          zip.entries.map((one) => [one.name, one.size, one.compressedSize, one.crc32, one.method]),
        );
        expect(ours).toEqual(await yauzlListing(bytes));
        expect([...readAll(bytes).values()].map((one) => [...one])).toEqual(list.map((one) => [...one.content]));
      }),
      { numRuns: 100 },
    );
  });

  it("with flipped bits is refused, or its contents are the same", () => {
    const contents = [TEXT, Buffer.from("short"), Buffer.alloc(0), Buffer.from("zstd ".repeat(30))];
    const entries = contents.map((one, index) => ({
      name: `file${index}`,
      content: one,
      method: [8, 0, 8, 93][index] ?? 8,
    }));
    const bytes = makeZip(entries);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        for (const [index, one] of [...readAll(flipped).values()].entries()) expect(one).toEqual(contents[index]);
      } catch (error) {
        if (!isTareError(error)) throw error;
      }
    }
  });
});

function yauzlListing(bytes: Buffer): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(bytes, { lazyEntries: false }, (error, zip) => {
      if (error !== null) return reject(error);
      const list: unknown[] = [];
      zip.on("entry", (one: yauzl.Entry) =>
        list.push([one.fileName, one.uncompressedSize, one.compressedSize, one.crc32, one.compressionMethod]),
      );
      zip.on("end", () => resolve(list));
      zip.on("error", reject);
    });
  });
}
