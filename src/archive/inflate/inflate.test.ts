// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import * as zlib from "node:zlib";
import { array, assert, constantFrom, integer, nat, oneof, property, tuple, uint8Array } from "fast-check";
import { describe, expect, test } from "vitest";
import { InflateError, inflated } from "./inflate.ts";

interface Decoded {
  readonly digest: string;
  readonly size: number;
  readonly consumed: number;
}

/** All of a stream. */
function decode(data: Uint8Array): Decoded {
  const hash = createHash("sha256");
  let size = 0;
  const pieces = inflated({
    length: data.length,
    read: (target, offset) => target.set(data.subarray(offset, offset + target.length)),
  });
  for (;;) {
    const { value, done } = pieces.next();
    if (done === true) return { digest: hash.digest("hex"), size, consumed: value.length };
    hash.update(value);
    size += value.length;
  }
}

function expected(content: Uint8Array, data: Uint8Array): Decoded {
  return { digest: createHash("sha256").update(content).digest("hex"), size: content.length, consumed: data.length };
}

/** Text that compresses, with noise between, so that blocks of all kinds follow each other. */
function mixed(size: number, seed: number): Buffer {
  const parts: Buffer[] = [];
  for (let made = 0, turn = seed; made < size; turn += 1) {
    const length = 1000 + ((turn * 7919) % 70_000);
    const noise = createHash("shake256", { outputLength: length }).update(String(turn)).digest();
    const part = turn % 3 === 0 ? noise : Buffer.alloc(length, noise.subarray(0, 1 + (turn % 400)));
    parts.push(part);
    made += part.length;
  }
  return Buffer.concat(parts).subarray(0, size);
}

describe("inflating", () => {
  const levels = [0, 1, 6, 9];
  const strategies = [
    zlib.constants.Z_DEFAULT_STRATEGY,
    zlib.constants.Z_HUFFMAN_ONLY,
    zlib.constants.Z_RLE,
    zlib.constants.Z_FIXED,
  ];

  test.each(levels.flatMap((level) => strategies.map((strategy) => ({ level, strategy }))))(
    "gives what was deflated: level $level, strategy $strategy",
    ({ level, strategy }) => {
      for (const size of [0, 1, 257, 65_535, 65_536, 262_143, 262_145, 3_000_000]) {
        const content = mixed(size, size);
        const data = zlib.deflateRawSync(content, { level, strategy });
        expect(decode(data)).toEqual(expected(content, data));
      }
    },
  );

  test("a stored block after one with codes, where a piece of input ends", () => {
    const flush = { finishFlush: zlib.constants.Z_SYNC_FLUSH };
    const letters = Buffer.from(randomBytes(8000).map((byte) => 97 + (byte % 4)));
    const coded = zlib.deflateRawSync(letters, flush);
    const rest = randomBytes(300_000);
    const end = zlib.deflateRawSync(rest, { level: 0 });
    // The first piece of input has 256 KiB; its last 1024 bytes are read together with the second one.
    for (let left = 1; left < 1100; left += 3) {
      const noise = randomBytes(262_144 - coded.length - left - 25);
      const content = Buffer.concat([noise, letters, rest]);
      const data = Buffer.concat([zlib.deflateRawSync(noise, { ...flush, level: 0 }), coded, end]);
      expect(decode(data)).toEqual(expected(content, data));
    }
  });

  test("many blocks of all kinds, each at another place of the input", () => {
    const content = mixed(20_000_000, 5);
    const data = zlib.deflateRawSync(content, { level: 6, memLevel: 1 });
    expect(decode(data)).toEqual(expected(content, data));
  });

  test("any bytes, with any settings of the compressor", () => {
    assert(
      property(
        array(oneof(uint8Array({ maxLength: 600 }), constantFrom(Buffer.alloc(300), Buffer.from("abcab")))),
        integer({ min: 0, max: 9 }),
        integer({ min: 1, max: 9 }),
        integer({ min: 9, max: 15 }),
        (parts, level, memLevel, windowBits) => {
          const content = Buffer.concat(parts);
          const data = zlib.deflateRawSync(content, { level, memLevel, windowBits });
          expect(decode(data)).toEqual(expected(content, data));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("what follows the stream is not read as part of it", () => {
    const data = zlib.deflateRawSync(Buffer.from("a".repeat(1000)));
    expect(decode(Buffer.concat([data, randomBytes(5000)])).consumed).toBe(data.length);
  });

  test("two streams at a time do not disturb each other", () => {
    const contents = [mixed(1_000_000, 1), mixed(1_000_000, 2)];
    const streams = contents.map((content) => {
      const data = zlib.deflateRawSync(content);
      const read = (target: Uint8Array, offset: number): void =>
        target.set(data.subarray(offset, offset + target.length));
      return inflated({ length: data.length, read });
    });
    const hashes = contents.map(() => createHash("sha256"));
    for (let isOpen = true; isOpen;) {
      isOpen = false;
      for (const [index, stream] of streams.entries()) {
        const { value, done } = stream.next();
        if (done === true) continue;
        hashes[index]?.update(value);
        isOpen = true;
      }
    }
    const digests = contents.map((content) => createHash("sha256").update(content).digest("hex"));
    expect(hashes.map((hash) => hash.digest("hex"))).toEqual(digests);
  });
});

describe("damaged data", () => {
  const content = mixed(300_000, 11);
  const data = zlib.deflateRawSync(content);

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["a block of the fourth kind", Buffer.from([0x07, 0, 0])],
    ["a stored block whose length is not confirmed", Buffer.from([0x01, 5, 0, 0, 0, 1, 2, 3, 4, 5])],
    ["a stored block that is cut short", Buffer.from([0x01, 5, 0, 0xfa, 0xff, 1, 2])],
    ["a copy from before the start", Buffer.from([0x4b, 0x04, 0x23, 0x00])],
    ["a cut in the middle", data.subarray(0, data.length >> 1)],
    ["a cut of the last byte", data.subarray(0, -1)],
  ])("%s is refused", (_name, bytes) => {
    expect(() => decode(bytes)).toThrow(InflateError);
  });

  test("is refused where zlib refuses it, and else is the same bytes", () => {
    assert(
      property(
        constantFrom(data.subarray(0, 4000), zlib.deflateRawSync(content.subarray(0, 3000)), Buffer.from("\x03\0")),
        array(tuple(nat(), integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        (source, changes) => {
          const bytes = Buffer.from(source);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          expect(outcome(() => decode(bytes))).toEqual(outcome(() => byZlib(bytes)));
        },
      ),
      { numRuns: 5000 },
    );
  });
});

function outcome(run: () => Decoded): Decoded | "refused" {
  try {
    return run();
  } catch {
    return "refused";
  }
}

function byZlib(bytes: Buffer): Decoded {
  const result: unknown = zlib.inflateRawSync(bytes, { info: true });
  const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } };
  return {
    digest: createHash("sha256").update(buffer).digest("hex"),
    size: buffer.length,
    consumed: engine.bytesWritten,
  };
}
