// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as zlib from "node:zlib";
import { describe, expect, it } from "vitest";
import { CompressSink, compress, compressGzip, decompress, detectCompression } from "./index.ts";

async function* pieces(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const text = Buffer.concat([
  randomBytes(60_000),
  Buffer.from("the same words again and again\n".repeat(20_000)),
  Buffer.alloc(300_000),
  Buffer.from(Array.from({ length: 60_000 }, (_, index) => (index * index) % 251)),
]);

const has = (program: string): boolean => {
  try {
    execFileSync(program, ["--version"], { input: "", stdio: ["pipe", "ignore", "ignore"] });
    return true;
  } catch {
    console.log(`skipped: no program ${program} here`);
    return false;
  }
};
const run = (program: string, args: string[], input: Uint8Array): Buffer =>
  execFileSync(program, args, { input, maxBuffer: 1 << 28 });

const zstdFrames = (): Buffer =>
  Buffer.concat([
    Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]),
    zlib.zstdCompressSync(text.subarray(0, 700_000)),
    zlib.zstdCompressSync(Buffer.alloc(0)),
    Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]),
    zlib.zstdCompressSync(text.subarray(700_000), { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } }),
  ]);

const good: Record<string, () => Buffer> = {
  none: () => text,
  gzip: () => zlib.gzipSync(text),
  "gzip members": () => Buffer.concat([zlib.gzipSync(text.subarray(0, 9)), zlib.gzipSync(text.subarray(9))]),
  "gzip with zero padding": () => Buffer.concat([zlib.gzipSync(text), Buffer.alloc(512)]),
  "zstd frames": zstdFrames,
};
if (has("bzip2")) {
  good["bzip2"] = () => run("bzip2", ["-c"], text);
  good["bzip2 level 1"] = () => run("bzip2", ["-1c"], text);
  good["bzip2 members"] = () =>
    Buffer.concat([run("bzip2", ["-c"], text.subarray(0, 5)), run("bzip2", ["-c"], text.subarray(5))]);
}
if (has("xz")) {
  for (const check of ["none", "crc32", "crc64", "sha256"]) {
    good[`xz ${check}`] = () => run("xz", ["-c", `--check=${check}`], text);
  }
  good["xz blocks"] = () => run("xz", ["-c", "-T2", "--block-size=500000"], text);
  good["xz streams"] = () =>
    Buffer.concat([run("xz", ["-c"], text.subarray(0, 77)), Buffer.alloc(8), run("xz", ["-9c"], text.subarray(77))]);
  good["xz other properties"] = () => run("xz", ["-c", "--lzma2=lc=1,lp=2,pb=0,dict=64KiB"], text);
}

describe("decompress", () => {
  for (const [name, make] of Object.entries(good)) {
    it(`reads ${name}`, async () => {
      const data = make();
      for (const size of [1 << 16, 999])
        expect((await collect(decompress(pieces(data, size)))).equals(text)).toBe(true);
    });
    if (name === "none") continue;
    it(`refuses cut and damaged ${name}`, async () => {
      const data = make();
      const trimmed = name.includes("padding") ? data.subarray(0, data.length - 512) : data;
      const cut = decompress(pieces(trimmed.subarray(0, trimmed.length - 3), 1 << 16));
      await expect(collect(cut)).rejects.toMatchObject({ code: "E_COMPRESSION" });
      const flipped = Buffer.from(data);
      const place = Math.floor(data.length / 2);
      flipped[place] = (flipped[place] ?? 0) ^ 0x10;
      const isUnchecked = name === "xz none" || name === "zstd frames";
      const read = collect(decompress(pieces(flipped, 1 << 16))).catch((error: unknown) => error);
      if (isUnchecked) expect(Buffer.isBuffer(await read) && text.equals((await read) as Buffer)).toBe(false);
      else expect(await read).toMatchObject({ code: "E_COMPRESSION" });
    });
  }

  it("reads single bytes and empty data", async () => {
    for (const data of [Buffer.alloc(0), zlib.gzipSync(""), zlib.zstdCompressSync("")]) {
      expect((await collect(decompress(pieces(data, 1)))).length).toBe(0);
    }
    expect((await collect(decompress(pieces(zlib.gzipSync("abc"), 1)))).toString()).toBe("abc");
  });

  it("refuses garbage after the end", async () => {
    for (const data of [zlib.gzipSync("abc"), zlib.zstdCompressSync("abc")]) {
      const stream = decompress(pieces(Buffer.concat([data, Buffer.from("garbage")]), 1 << 16));
      await expect(collect(stream)).rejects.toMatchObject({ code: "E_COMPRESSION" });
    }
  });

  it("passes the source's own error on", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield zlib.gzipSync(text).subarray(0, 1000);
      throw new Error("connection lost");
    }
    await expect(collect(decompress(failing()))).rejects.toThrow("connection lost");
  });

  it("stops a bomb", async () => {
    const bomb = zlib.zstdCompressSync(Buffer.alloc(100 << 20));
    const count = async (allowAnyRatio: boolean): Promise<number> => {
      let size = 0;
      for await (const chunk of decompress(pieces(bomb, 1 << 16), { allowAnyRatio })) size += chunk.length;
      return size;
    };
    await expect(count(false)).rejects.toMatchObject({ code: "E_BOMB" });
    expect(await count(true)).toBe(100 << 20);
  });
});

describe("detectCompression", () => {
  it("knows the first bytes", () => {
    expect(detectCompression(Buffer.from("ustar"))).toBe("none");
    expect(detectCompression(Buffer.alloc(0))).toBe("none");
    expect(detectCompression(Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 0, 0]))).toBe("zstd");
    expect(detectCompression(Buffer.from([0x1f, 0x8b, 8]))).toBe("gzip");
  });
});

describe("compress", () => {
  it("is deterministic and says nothing of this host", async () => {
    const first = await collect(compressGzip(pieces(text, 1000)));
    const second = await collect(compressGzip(pieces(text, 70_000)));
    expect(first.equals(second)).toBe(true);
    expect(first.subarray(0, 10)).toEqual(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]));
    expect(zlib.gunzipSync(first).equals(text)).toBe(true);
  });

  it("works as a sink whose caller uses its chunk again", async () => {
    for (const kind of ["gzip", "zstd"] as const) {
      const chunks: Buffer[] = [];
      const sink = new CompressSink({ write: (chunk) => void chunks.push(Buffer.from(chunk)) }, { kind });
      const shared = Buffer.alloc(10_000);
      for (let at = 0; at < text.length; at += shared.length) {
        const part = text.subarray(at, at + shared.length);
        shared.set(part);
        await sink.write(shared.subarray(0, part.length));
        shared.fill(0xee);
      }
      await sink.finish();
      const direct = await collect(compress(pieces(text, 1 << 16), { kind }));
      expect((await collect(decompress(pieces(Buffer.concat(chunks), 1 << 16)))).equals(text)).toBe(true);
      expect(direct.length).toBeGreaterThan(0);
    }
  });

  it("passes the target's error on", async () => {
    const sink = new CompressSink({ write: () => Promise.reject(new Error("disk full")) }, { kind: "gzip", level: 1 });
    const writing = async (): Promise<void> => {
      for (let index = 0; index < 50; index += 1) await sink.write(randomBytes(100_000));
      await sink.finish();
    };
    await expect(writing()).rejects.toThrow("disk full");
  });
});
