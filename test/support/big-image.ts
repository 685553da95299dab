// SPDX-License-Identifier: Apache-2.0
/* Build contexts of any size whose content is the same for the same seed, and compresses about as programs do. */
import * as fs from "node:fs";
import { join } from "node:path";

/** How large an image is made. */
export interface BigImage {
  readonly layers: number;
  /** Of each layer, before compression. */
  readonly bytes: number;
  /** Other seeds give other content. Default 1. */
  readonly seed?: number;
}

const POOL = 4 << 20;
/** Sizes of files in turn: mostly small ones, as many bytes in large ones. */
const SIZES: readonly number[] = [3_000, 700, 12_000, 40_000, 150_000, 1 << 20, 9_000, 24 << 20];

/** Numbers from 0 to 2³²-1 in an order that the seed gives (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Writes a context whose Dockerfile copies one folder into each layer. */
export function writeBigContext(folder: string, { layers, bytes, seed = 1 }: BigImage): void {
  const next = numbersFrom(seed);
  const pools = [noise(next), words(next)] as const;
  const lines = ["FROM scratch"];
  for (let layer = 0; layer < layers; layer += 1) {
    const name = `layer-${layer}`;
    fs.mkdirSync(join(folder, name), { recursive: true });
    fillFolder(join(folder, name), bytes, { next, pools });
    lines.push(`COPY ${name} /${name}`);
  }
  fs.writeFileSync(join(folder, "Dockerfile"), `${lines.join("\n")}\nCMD ["sh"]\n`);
}

interface Source {
  readonly next: () => number;
  readonly pools: readonly [Buffer, Buffer];
}

function fillFolder(folder: string, bytes: number, { next, pools }: Source): void {
  let left = bytes;
  for (let index = 0; left > 0; index += 1) {
    const size = Math.min(left, SIZES[index % SIZES.length] ?? 1);
    const file = fs.openSync(join(folder, `file-${index}`), "w");
    for (let done = 0; done < size;) {
      const pool = pools[next() & 1] ?? pools[0];
      const start = next() % (POOL - 65_536);
      done += fs.writeSync(file, pool, start, Math.min(65_536, size - done));
    }
    fs.closeSync(file);
    left -= size;
  }
}

/** What can't be compressed. */
function noise(next: () => number): Buffer {
  const pool = Buffer.allocUnsafe(POOL);
  for (let at = 0; at < POOL; at += 4) pool.writeUInt32LE(next(), at);
  return pool;
}

/** What compresses to about a third, like code. */
function words(next: () => number): Buffer {
  const known = Array.from({ length: 4096 }, () =>
    next()
      .toString(36)
      .slice(0, 2 + (next() % 6)),
  );
  const pool = Buffer.alloc(POOL, " ");
  for (let at = 0; at < POOL - 16;) at += pool.write(`${known[next() % known.length] ?? ""} `, at);
  return pool;
}
