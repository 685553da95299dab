// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elfObject } from "../../../test/support/elf-object.ts";
import { compressedBundle, cubin, fatbinRegion, offloadBundle } from "../../../test/support/gpu-code.ts";
import { unpackLz4 } from "./cubin.ts";
import { openSource, readElf, readNotes } from "./elf-file.ts";
import { KernelReader, joinKernels, kernelsOfSource } from "./kernels.ts";
import type { ObjectKernels } from "./kernels.ts";
import { sourceOf } from "./walk.ts";
import type { ByteSource } from "./walk.ts";

function source(bytes: Buffer): ByteSource {
  return sourceOf(bytes.length, (at, length) => bytes.subarray(at, at + length));
}

/** As a file that passes by in pieces of a size, each in the same memory. */
function streamed(bytes: Buffer, piece: number): ObjectKernels | undefined {
  const reader = new KernelReader(bytes.length);
  const room = Buffer.alloc(piece);
  for (let at = 0; at < bytes.length; at += piece) {
    const size = bytes.copy(room, 0, at, at + piece);
    reader.write(room.subarray(0, size));
    room.fill(0xaa);
  }
  return reader.end();
}

function object(section: string, content: Buffer): Buffer {
  return elfObject({ functions: { one: 1 }, sections: { [section]: content, ".other": Buffer.alloc(100, 0x50) } });
}

const COMMON = ["7.5", "8.0", "12.0"].map((architecture) => ({ architecture }));
const AMD = [
  "host-x86_64-unknown-linux-gnu-",
  "hipv4-amdgcn-amd-amdhsa--gfx90a:xnack-",
  "hip-amdgcn-amd-amdhsa--gfx1100",
];
const GFX = { cubins: [], ptx: [], gfx: ["gfx1100", "gfx90a:xnack-"] };
const LZ4_CUBIN = Buffer.from("a27f454c460201013307000100660200be007e00010021c800", "hex");

describe("kernels of a shared object", () => {
  it.each<[string, Buffer, Partial<ObjectKernels>]>([
    [
      "regions of one library",
      Buffer.concat([fatbinRegion(COMMON), Buffer.alloc(24), fatbinRegion(COMMON)]),
      { kernels: { cubins: ["7.5", "8.0", "12.0"], ptx: [] }, toolkit: "12.8" },
    ],
    [
      "variants, and the numbers' order",
      fatbinRegion(["10.0f", "9.0a", "10.3", "5.0"].map((architecture) => ({ architecture }))),
      { kernels: { cubins: ["5.0", "9.0a", "10.0f", "10.3"], ptx: [] } },
    ],
    [
      "headers with more in them",
      fatbinRegion([
        { architecture: "12.0", header: 112 },
        { architecture: "9.0", kind: "ptx", header: 80 },
      ]),
      { kernels: { cubins: ["12.0"], ptx: ["9.0"] } },
    ],
    [
      "machine code of the other kind",
      fatbinRegion([
        { architecture: "8.0", kindNumber: 16 },
        { architecture: "9.0", kindNumber: 64 },
      ]),
      { kernels: { cubins: ["8.0"], ptx: [] } },
    ],
    [
      "what a few regions have more",
      Buffer.concat(
        [1, 2, 3, 4, 5].map((n) =>
          fatbinRegion(n === 3 ? [...COMMON, { architecture: "9.0a" }, { architecture: "9.0", kind: "ptx" }] : COMMON),
        ),
      ),
      { kernels: { cubins: ["7.5", "8.0", "12.0"], ptx: [], partial: ["9.0a"] } },
    ],
    [
      "units that are for some of the architectures only",
      Buffer.concat([COMMON.slice(1), COMMON.slice(1), COMMON].map((entries) => fatbinRegion(entries))),
      { kernels: { cubins: ["7.5", "8.0", "12.0"], ptx: [] } },
    ],
    [
      "a region without entries",
      Buffer.concat([fatbinRegion([]), fatbinRegion(COMMON)]),
      { kernels: { cubins: ["7.5", "8.0", "12.0"], ptx: [] } },
    ],
    [
      "a compiler that tells its version as text, packed by zstd",
      fatbinRegion([
        {
          architecture: "7.5",
          flags: 0x8000,
          payload: zstdCompressSync(cubin(1, "Cuda compilation tools, release 13.2, V13.2.86")),
        },
      ]),
      { toolkit: "13.2" },
    ],
    [
      "code packed by LZ4",
      fatbinRegion([{ architecture: "7.5", flags: 0x2000, payload: LZ4_CUBIN }]),
      { toolkit: "12.6" },
    ],
    [
      "packed code that is broken",
      fatbinRegion([{ architecture: "7.5", flags: 0x8000, payload: Buffer.from("no zstd at all") }]),
      { kernels: { cubins: ["7.5"], ptx: [] } },
    ],
  ])("of NVIDIA are known: %s", (_what, content, expected) => {
    const bytes = object(".nv_fatbin", content);
    const found = kernelsOfSource(source(bytes));
    expect(found).toMatchObject(expected);
    for (const piece of [7, 64, 4096, bytes.length]) expect(streamed(bytes, piece)).toEqual(found);
  });

  it.each<[string, Buffer]>([
    ["a bundle", offloadBundle(AMD)],
    ["two of them", Buffer.concat([offloadBundle(AMD.slice(0, 2)), offloadBundle(AMD.slice(2))])],
    ["compressed, version 1", compressedBundle(offloadBundle(AMD), 1, "zstd")],
    ["compressed, version 2", compressedBundle(offloadBundle(AMD), 2, "zlib")],
    ["compressed, version 3, many bytes", compressedBundle(offloadBundle(AMD, randomBytes(400_000)), 3, "zstd")],
  ])("of AMD are known: %s", (_what, content) => {
    const bytes = object(".hip_fatbin", content);
    expect(kernelsOfSource(source(bytes))?.kernels).toEqual(GFX);
    for (const piece of [33, 8192]) expect(streamed(bytes, piece)?.kernels).toEqual(GFX);
  });

  it.each<[string, Buffer]>([
    ["a format that this does not know", Buffer.alloc(64, 1)],
    ["an entry that is longer than its region", fatbinRegion([...COMMON, { architecture: "9.0", size: 1n << 40n }])],
    ["entries that end elsewhere than the region", Buffer.concat([fatbinRegion(COMMON, 720n), Buffer.alloc(400)])],
  ])("are unknown, not none, when a section is broken: %s", (_what, content) => {
    const bytes = object(".nv_fatbin", content);
    expect(kernelsOfSource(source(bytes))).toBeUndefined();
    expect(streamed(bytes, 100)).toBeUndefined();
  });

  it("are none in other files", () => {
    const none = { kernels: { cubins: [], ptx: [] }, bytes: 0 };
    for (const bytes of [
      Buffer.from("text"),
      Buffer.alloc(0),
      elfObject({}),
      object(".data", Buffer.from("CCOB\x01")),
    ]) {
      expect(kernelsOfSource(source(bytes))).toEqual(none);
      expect(streamed(bytes, 16)).toEqual(none);
    }
  });

  it("are the same wherever a file is cut into pieces", () => {
    const bytes = object(".nv_fatbin", Buffer.concat([fatbinRegion(COMMON), fatbinRegion(COMMON)]));
    const expected = kernelsOfSource(source(bytes));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), (piece) => {
        expect(streamed(bytes, piece)).toEqual(expected);
      }),
    );
  });

  it("are given up where everything looks like the start of something", () => {
    const head = Buffer.alloc(32);
    head.write("CCOB\x02\0\x01\0", "latin1");
    head.writeUInt32LE(40, 8);
    const bytes = object(".hip_fatbin", Buffer.concat(Array.from({ length: 2000 }, () => head)));
    expect(kernelsOfSource(source(bytes))).toBeUndefined();
    expect(streamed(bytes, 4096)).toBeUndefined();
  });

  it("are read from hostile files without a crash, and by both ways in bounded steps", () => {
    const whole = Buffer.concat([
      object(
        ".nv_fatbin",
        Buffer.concat([fatbinRegion(COMMON), fatbinRegion([{ architecture: "9.0", flags: 0x2000 }])]),
      ),
      object(".hip_fatbin", Buffer.concat([offloadBundle(AMD), compressedBundle(offloadBundle(AMD), 2, "zstd")])),
    ]);
    const change = fc.record({ at: fc.nat({ max: whole.length - 1 }), value: fc.nat({ max: 255 }) });
    const mutated = fc.record({ changes: fc.array(change, { maxLength: 12 }), size: fc.nat({ max: whole.length }) });
    fc.assert(
      fc.property(mutated, ({ changes, size }) => {
        const bytes = Buffer.from(whole);
        for (const { at, value } of changes) bytes[at] = value;
        readAll(bytes.subarray(0, size));
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => readAll(Buffer.from(bytes))));
  });
});

function readAll(bytes: Buffer): void {
  kernelsOfSource(source(bytes));
  readElf(source(bytes));
  readNotes(source(bytes), ".note.cuda.fwd_compatibility");
  streamed(bytes, 256);
}

/** Bytes that do not compress, the same each time. */
function randomBytes(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0, state = 1; at < size; at += 1) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

describe("kernels of several objects", () => {
  const one = (bytes: number, cubins: readonly string[], ptx: readonly string[] = []): ObjectKernels => ({
    kernels: { cubins, ptx },
    bytes,
  });

  it("are those of the large ones; what only a small one has is partial", () => {
    const library = one(900, ["8.0", "9.0"]);
    expect(joinKernels([library, one(10, ["8.9", "9.0"], ["12.0"])])).toEqual({
      cubins: ["8.0", "9.0"],
      ptx: [],
      partial: ["8.9"],
    });
    expect(joinKernels([library, one(300, ["9.0a"], ["9.0"])])).toEqual({
      cubins: ["8.0", "9.0", "9.0a"],
      ptx: ["9.0"],
    });
    expect(joinKernels([library, one(130, ["9.0"], ["9.0"])]).ptx).toEqual([]);
    expect(joinKernels([])).toEqual({ cubins: [], ptx: [] });
  });
});

describe("an ELF file", () => {
  it("tells its name, what it needs and its notes", () => {
    const note = { name: "NVIDIA Corporation", type: 1, description: Buffer.from('{"format":1}') };
    const bytes = elfObject({
      soname: "libcuda.so.1",
      needed: ["libc.so.6", "libdl.so.2"],
      machine: "aarch64",
      notes: { ".note.cuda.fwd_compatibility": note },
    });
    expect(readElf(source(bytes))).toEqual({
      machine: "aarch64",
      soname: "libcuda.so.1",
      needed: ["libc.so.6", "libdl.so.2"],
    });
    expect(readNotes(source(bytes), ".note.cuda.fwd_compatibility")).toEqual([note]);
    expect(readNotes(source(bytes), ".note.other")).toEqual([]);
    expect(readElf(source(Buffer.from("#!/bin/sh\n")))).toBeUndefined();
  });

  it("is opened as a file, never through a link", () => {
    const folder = fs.mkdtempSync(join(tmpdir(), "tare-elf-"));
    fs.writeFileSync(join(folder, "a.so"), elfObject({ soname: "a" }));
    fs.symlinkSync("a.so", join(folder, "b.so"));
    const file = openSource(join(folder, "a.so"));
    expect(readElf(file)?.soname).toBe("a");
    file.close();
    expect(() => openSource(join(folder, "b.so"))).toThrow(expect.objectContaining({ code: "E_IO" }));
    fs.rmSync(folder, { recursive: true });
  });
});

describe("LZ4", () => {
  it.each<[string, string, string | undefined]>([
    ["literals alone", "40414243 44", "41424344"],
    ["a match that overlaps itself", "10 41 0100", "4141414141"],
    ["a long run of literals", `f000${"41".repeat(15)}`, "41".repeat(15)],
    ["a distance of nothing", "10 41 0000 00", undefined],
    ["a distance before the start", "10 41 0900 00", undefined],
    ["too few bytes", "40 4142", undefined],
  ])("is unpacked from its start: %s", (_what, block, expected) => {
    const length = expected === undefined ? 20 : expected.length / 2;
    expect(unpackLz4(Buffer.from(block.replaceAll(" ", ""), "hex"), length)?.toString("hex")).toBe(expected);
  });
});
