// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileChunks } from "./file-chunks.ts";

let base = "";
beforeAll(() => {
  base = fs.mkdtempSync(join(tmpdir(), "tare-chunks-"));
});
afterAll(() => fs.rmSync(base, { recursive: true, force: true }));

async function read(path: string, range?: { readonly start?: number; readonly end?: number }): Promise<Buffer> {
  const copies: Buffer[] = [];
  for await (const piece of fileChunks(path, range)) copies.push(Buffer.from(piece));
  return Buffer.concat(copies);
}

describe("chunks of a file", () => {
  it("are its bytes, or those of a range", async () => {
    for (const size of [0, 1, 262_143, 262_144, 262_145, 1_000_000]) {
      const path = join(base, `file-${size}`);
      const bytes = randomBytes(size);
      fs.writeFileSync(path, bytes);
      expect((await read(path)).equals(bytes)).toBe(true);
      for (const [start, end] of [
        [0, 0],
        [1, 5],
        [200_000, 700_000],
        [size, size + 9],
      ] as const) {
        expect((await read(path, { start, end })).equals(bytes.subarray(start, end))).toBe(true);
      }
    }
  });

  it("close the file when their reader leaves", async () => {
    const path = join(base, "left");
    fs.writeFileSync(path, randomBytes(600_000));
    const before = fs.readdirSync("/proc/self/fd").length;
    for await (const piece of fileChunks(path)) {
      expect(piece.length).toBe(262_144);
      break;
    }
    expect(fs.readdirSync("/proc/self/fd").length).toBe(before);
  });

  it("of no file are an error", async () => {
    await expect(read(join(base, "none"))).rejects.toThrow(/ENOENT/);
  });
});
