// SPDX-License-Identifier: Apache-2.0
/* The parts below the splice: code lengths, checksums, ends of streams and encoder. zlib is the second opinion. */
import * as zlib from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../base/index.ts";
import { BlobWriter } from "./blob-writer.ts";
import { codeLengths } from "./code-lengths.ts";
import { combineCrc } from "./crc-combine.ts";
import { Encoder } from "./encoder.ts";
import { MemberWriter } from "./member-writer.ts";
import { InflateError, inflated } from "../inflate/inflate.ts";
import type { InflateEnd } from "../inflate/inflate.ts";

/** Where a stream ends that is all of the bytes, and the size of its output. */
function scan(bytes: Uint8Array): (InflateEnd & { readonly size: number }) | undefined {
  const read = (target: Uint8Array, offset: number): void => target.set(bytes.subarray(offset, offset + target.length));
  const pieces = inflated({ length: bytes.length, read });
  try {
    for (let size = 0; ;) {
      const { value, done } = pieces.next();
      if (done === true) return value.length === bytes.length ? { ...value, size } : undefined;
      size += value.length;
    }
  } catch (error) {
    if (error instanceof InflateError) return undefined;
    throw error;
  }
}

/** The output's size when zlib takes the data, all of it. */
function zlibSize(bytes: Uint8Array): number | undefined {
  try {
    const result: unknown = zlib.inflateRawSync(bytes, { info: true });
    const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
    return engine.bytesWritten === bytes.length ? buffer.length : undefined;
  } catch {
    return undefined;
  }
}

async function encode(data: Uint8Array, piece: number = 65536): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const out = new BlobWriter({ write: (chunk) => void chunks.push(Buffer.from(chunk)) });
  const encoder = new Encoder(out);
  for (let at = 0; at < data.length; at += piece) {
    encoder.write(data.subarray(at, at + piece));
    if (out.isFull) await out.drain();
  }
  encoder.flush(true);
  out.align();
  await out.finish();
  return Buffer.concat(chunks);
}

/** Reproducible data of several kinds. */
function sample(kind: "noise" | "words" | "zeros" | "mixed", size: number, seed: number = 1): Buffer {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  if (kind === "zeros") return Buffer.alloc(size);
  if (kind === "noise") return Buffer.from(Uint8Array.from({ length: size }, () => random(256)));
  const words = Array.from({ length: 300 }, () => sample("noise", 1 + random(9), random(1e6)).toString("hex"));
  const parts: Buffer[] = [];
  for (let length = 0; length < size;) {
    const isOther = kind === "mixed" && random(200) === 0;
    const part = isOther
      ? sample(random(2) === 0 ? "noise" : "zeros", random(5000), random(1e6))
      : Buffer.from(`${words[random(random(300) + 1)] ?? ""} `);
    parts.push(part);
    length += part.length;
  }
  return Buffer.concat(parts).subarray(0, size);
}

const KINDS = ["noise", "words", "zeros", "mixed"] as const;
const STRATEGIES = [
  zlib.constants.Z_DEFAULT_STRATEGY,
  zlib.constants.Z_FILTERED,
  zlib.constants.Z_HUFFMAN_ONLY,
  zlib.constants.Z_RLE,
  zlib.constants.Z_FIXED,
];

describe("code lengths", () => {
  it("make a full code within the limit, shorter for what is more frequent", () => {
    const counts = fc.array(fc.oneof(fc.nat(5), fc.nat(1e6)), { minLength: 2, maxLength: 286 });
    fc.assert(
      fc.property(counts, (list) => {
        const used = list.filter((count) => count > 0).length;
        const limit = used > 100 ? 15 : 7;
        const lengths = codeLengths(Uint32Array.from(list), limit);
        const total = lengths.reduce((sum, length) => sum + (length > 0 ? 2 ** -length : 0), 0);
        expect(total).toBe(used === 0 ? 0 : used === 1 ? 0.5 : 1);
        expect(Math.max(...lengths)).toBeLessThanOrEqual(limit);
        const pairs = list
          .map((count, symbol) => [count, lengths[symbol] ?? 0] as const)
          .filter(([count]) => count > 0);
        pairs.sort(([a], [b]) => a - b);
        for (const [index, [count, length]] of pairs.entries()) {
          const [next, after] = pairs[index + 1] ?? [count, length];
          if (next > count) expect(after).toBeLessThanOrEqual(length);
        }
      }),
    );
  });

  it("stay within the limit for the worst counts", () => {
    const fibonacci = [1, 1];
    while (fibonacci.length < 40) fibonacci.push((fibonacci.at(-1) ?? 0) + (fibonacci.at(-2) ?? 0));
    const lengths = codeLengths(Uint32Array.from(fibonacci), 15);
    expect(Math.max(...lengths)).toBe(15);
    expect(lengths.reduce((sum, length) => sum + 2 ** -length, 0)).toBe(1);
  });
});

describe("checksums", () => {
  it("of parts make that of the whole", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array({ maxLength: 5000 }), (first, second) => {
        const whole = zlib.crc32(Buffer.concat([first, second]));
        expect(combineCrc(zlib.crc32(first), zlib.crc32(second), second.length)).toBe(whole);
      }),
    );
  });

  it("of parts larger than 4 GiB", () => {
    // Appending zeros in two steps is appending them at once.
    const zeros = combineCrc(0, 0, 1);
    const size = 5 * 2 ** 30;
    expect(combineCrc(combineCrc(123, zeros, size), zeros, 77)).toBe(
      combineCrc(123, combineCrc(zeros, zeros, 77), size + 77),
    );
  });
});

describe("the end of a stream", () => {
  it("finds the end of what any zlib settings make", () => {
    for (const kind of KINDS) {
      for (const size of [0, 1, 100, 5000, 70_000, 700_000]) {
        const data = sample(kind, size);
        for (const level of [0, 1, 6, 9]) {
          const packed = zlib.deflateRawSync(data, { level });
          expect(scan(packed)?.size).toBe(size);
        }
      }
      for (const strategy of STRATEGIES) {
        expect(scan(zlib.deflateRawSync(sample(kind, 30_000), { strategy, memLevel: 1 }))?.size).toBe(30_000);
      }
    }
  });

  it("finds the last block: without its mark the data goes on", () => {
    for (const kind of KINDS) {
      const packed = zlib.deflateRawSync(sample(kind, 100_000), { memLevel: 1 });
      const found = scan(packed);
      expect(found).toBeDefined();
      const { lastBlock = 0, end = 0 } = found ?? {};
      expect(Math.ceil(end / 8)).toBe(packed.length);
      packed[lastBlock >> 3] = (packed[lastBlock >> 3] ?? 0) & ~(1 << (lastBlock & 7));
      expect(zlibSize(packed)).toBeUndefined();
      expect(zlib.inflateRawSync(packed, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).length).toBe(100_000);
    }
  });

  it("takes exactly what zlib takes, whatever bits are flipped", () => {
    const starts = KINDS.flatMap((kind) =>
      [{}, { level: 1 }, { strategy: zlib.constants.Z_FIXED }, { memLevel: 1 }].map((options) =>
        zlib.deflateRawSync(sample(kind, 900), options),
      ),
    );
    let taken = 0;
    for (const packed of starts) {
      for (let bit = 0; bit < Math.min(packed.length * 8, 3000); bit += 1) {
        const flipped = Buffer.from(packed);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const size = zlibSize(flipped);
        if (size !== undefined) taken += 1;
        expect(scan(flipped)?.size).toBe(size);
      }
    }
    expect(taken).toBeGreaterThan(1000);
  });

  it("takes exactly what zlib takes of random data", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.constantFrom(1, 3, 5), (bytes, start) => {
        // The last block at once, of each type: most random headers are wrong.
        bytes[0] = ((bytes[0] ?? 0) & ~7) | start;
        expect(scan(bytes)?.size).toBe(zlibSize(bytes));
      }),
      { numRuns: 3000 },
    );
  });

  const refused: readonly (readonly [string, readonly number[]])[] = [
    ["nothing", []],
    ["a block of type 3", [7]],
    ["a stored block with a wrong complement", [1, 5, 0, 0, 0]],
    ["a stored block beyond the end", [1, 5, 0, 0xfa, 0xff, 1]],
    ["bytes after the end", [3, 0, 0]],
    ["a distance before the start", [0x03, 0x02, 0x00]],
    ["symbol 286 of the fixed code", [0x1b, 0x03, 0x00]],
  ];
  for (const [title, bytes] of refused)
    it(`refuses ${title}`, () => expect(scan(Uint8Array.from(bytes))).toBeUndefined());
});

describe("encoder", () => {
  it("gives back any data, in any pieces the same", async () => {
    for (const kind of KINDS) {
      for (const size of [0, 1, 3, 4, 5, 300, 40_000, 300_000]) {
        const data = sample(kind, size, size + 7);
        const packed = await encode(data);
        expect(zlib.inflateRawSync(packed).equals(data)).toBe(true);
        expect(scan(packed)?.size).toBe(size);
        for (const piece of [1013, 40_007]) expect((await encode(data, piece)).equals(packed)).toBe(true);
      }
    }
  });

  it("gives back small data of all kinds", async () => {
    const data = fc.oneof(fc.uint8Array({ maxLength: 400 }), fc.array(fc.constantFrom(0, 1, 255), { maxLength: 900 }));
    await fc.assert(
      fc.asyncProperty(data, fc.integer({ min: 1, max: 50 }), async (list, piece) => {
        const bytes = Uint8Array.from(list);
        const packed = await encode(bytes, piece);
        expect(zlib.inflateRawSync(packed)).toEqual(Buffer.from(bytes));
        expect(packed.equals(await encode(bytes))).toBe(true);
      }),
    );
  });

  it("copies across what others wrote, and nothing from it", async () => {
    const pool = sample("mixed", 200_000);
    const part = fc.record({
      from: fc.nat(150_000),
      plain: fc.oneof(fc.nat(600), fc.nat(50_000)),
      stored: fc.oneof(fc.constantFrom(0, 1, 32_767, 32_768, 32_769), fc.nat(3000)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        const chunks: Buffer[] = [];
        const out = new BlobWriter({ write: (chunk) => void chunks.push(Buffer.from(chunk)) });
        const members = new MemberWriter(out);
        const content: Buffer[] = [];
        for (const { from, plain, stored } of parts) {
          const [ours, others] = [pool.subarray(from, from + plain), pool.subarray(from, from + stored)];
          members.plain(ours);
          members.stored(others);
          content.push(ours, others);
        }
        members.end();
        await out.finish();
        if (content.length > 0) {
          expect(zlib.gunzipSync(Buffer.concat(chunks)).equals(Buffer.concat(content))).toBe(true);
        }
      }),
    );
  });

  it("is at most 10 % larger than zlib's level 6, and hardly larger than the data", async () => {
    for (const kind of KINDS) {
      const data = sample(kind, 500_000);
      const packed = await encode(data);
      expect(packed.length).toBeLessThan(zlib.deflateRawSync(data, { level: 6 }).length * 1.1 + 600);
      expect(packed.length).toBeLessThan(data.length + 200);
    }
  });

  it("gives the same after another stream", async () => {
    const data = sample("mixed", 100_000);
    const fresh = await encode(data);
    const out = new BlobWriter({ write: () => undefined });
    const used = new Encoder(out);
    used.write(sample("words", 90_000));
    used.flush(true);
    used.close();
    expect((await encode(data)).equals(fresh)).toBe(true);
  });

  it("always gives these bytes", async () => {
    // Digests of layers depend on them: a change here changes the digest of every spliced layer.
    expect(digestOf(await encode(sample("mixed", 400_000)))).toBe(
      "sha256:40b739f6893ce09515c17dd8ebdf44016519279f541d8a015db3766f700bfe78",
    );
    expect(digestOf(await encode(sample("words", 2000)))).toBe(
      "sha256:b9bde48bb9a7704d2a640a3e35049b3d89df3f314cda9ed787dacade85e915ec",
    );
  });
});
