// SPDX-License-Identifier: Apache-2.0
import { randomFillSync } from "node:crypto";
import { crc32, deflateRawSync, gunzipSync, gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GunzipMembers, gunzip } from "./gunzip.ts";

async function decode(data: Uint8Array, piece: number): Promise<Buffer> {
  const room = Buffer.alloc(piece);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < data.length; at += piece) {
      const part = data.subarray(at, at + piece);
      // Each piece is in the memory of the one before.
      room.set(part);
      yield await Promise.resolve(room.subarray(0, part.length));
      room.fill(0xaa);
    }
  }
  const out: Buffer[] = [];
  for await (const part of gunzip(pieces(), data.length)) out.push(Buffer.from(part));
  return Buffer.concat(out);
}

const TEXT = Buffer.from("the quick brown fox. ".repeat(5000));
const NOISE: Buffer = randomFillSync(Buffer.alloc(300_000));

/** A member with every field that a header can have. */
function fullMember(content: Buffer): Buffer {
  const plain = gzipSync(content);
  const head = Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 255]);
  const fields = Buffer.concat([head, Buffer.from([3, 0, 1, 2, 3]), Buffer.from("name\0comment\0")]);
  const crc = Buffer.alloc(2);
  crc.writeUInt16LE(crc32(fields) & 0xffff);
  return Buffer.concat([fields, crc, deflateRawSync(content), plain.subarray(-8)]);
}

const GOOD: Readonly<Record<string, Buffer>> = {
  "of text": gzipSync(TEXT),
  "of noise": gzipSync(NOISE),
  "of nothing": gzipSync(""),
  "of several members": Buffer.concat([gzipSync("a"), gzipSync(NOISE), gzipSync(""), gzipSync(TEXT)]),
  "of many members": Buffer.concat(Array.from({ length: 500 }, (_, index) => gzipSync(`member ${index}`))),
  "with every field in its header": fullMember(TEXT),
  "with zeros after it": Buffer.concat([gzipSync(TEXT), Buffer.alloc(600)]),
  "of stored blocks": gzipSync(NOISE, { level: 0 }),
};

const whole = gzipSync(TEXT);
const changed = (at: number, byte: number): Buffer => {
  const copy = Buffer.from(whole);
  copy[at < 0 ? copy.length + at : at] = byte;
  return copy;
};
const BAD: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
  "that is cut": [whole.subarray(0, -9), /ends too early|damaged/],
  "that is cut in its trailer": [whole.subarray(0, -3), /ends too early/],
  "that is cut in its header": [whole.subarray(0, 7), /ends too early/],
  "that is empty": [Buffer.alloc(0), /ends too early/],
  "with garbage after it": [Buffer.concat([whole, Buffer.from("garbage")]), /something else after a member/],
  "of another checksum": [changed(-8, (whole.at(-8) ?? 0) ^ 1), /checksum/],
  "of another size": [changed(-4, (whole.at(-4) ?? 0) ^ 1), /another size/],
  "with unknown flags": [changed(3, 0x80), /unknown flags/],
  "with another checksum of its header": [Buffer.from(fullMember(TEXT)).fill(9, 29, 30), /header is not what/],
  "of another method": [changed(2, 7), /something else/],
  "that is damaged": [changed(12, 0xff), /damaged|checksum/],
};

describe("gzip data", () => {
  it.each(Object.entries(GOOD))("%s is decoded", async (_name, data) => {
    const expected = gunzipSync(data);
    for (const piece of [7, 1000, 1 << 18]) expect((await decode(data, piece)).equals(expected)).toBe(true);
  });

  it.each(Object.entries(BAD))("%s is refused", async (_name, [data, why]) => {
    for (const piece of [7, 1 << 18]) {
      await expect(decode(data, piece)).rejects.toMatchObject({
        code: "E_COMPRESSION",
        message: expect.stringMatching(why),
      });
    }
  });

  it("whose end is told when all of it came is decoded", () => {
    const members = new GunzipMembers();
    const out: Buffer[] = [];
    for (const [piece, isLast] of [
      [GOOD["of several members"] ?? NOISE, false],
      [Buffer.alloc(0), true],
    ] as const) {
      for (const part of members.push(piece, isLast)) out.push(Buffer.from(part));
    }
    members.end();
    members.close();
    expect(Buffer.concat(out).equals(gunzipSync(GOOD["of several members"] ?? NOISE))).toBe(true);
  });

  it("of any content, in pieces of any size, is decoded", async () => {
    const content = fc.array(fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.string({ maxLength: 3000 })), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(content, fc.integer({ min: 1, max: 5000 }), async (members, piece) => {
        const data = Buffer.concat([gzipSync("start"), ...members.map((member) => gzipSync(member))]);
        expect((await decode(data, piece)).equals(gunzipSync(data))).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
