// SPDX-License-Identifier: Apache-2.0
/* Contents of files with their holes. */
import * as fs from "node:fs";
import { linux, systemErrorCode } from "../base/index.ts";
import type { BytePath } from "../base/index.ts";

/** A stretch of a file that is stored. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/** The stored stretches of an open file up to `size`, in order; nothing is asked for one without holes. */
export function segmentsOf(descriptor: number, stats: fs.BigIntStats): readonly Segment[] {
  let segments = [...stretches(descriptor, stats)];
  // A map of more could not be read back; zeros between near ones cost little.
  for (let gap = 1 << 16; segments.length > MOST_SEGMENTS; gap *= 2) segments = joined(segments, gap);
  return segments;
}

function joined(segments: readonly Segment[], gap: number): Segment[] {
  const result: Segment[] = [];
  for (const { offset, length } of segments) {
    const last = result.at(-1);
    if (last && offset - last.offset - last.length <= gap) {
      result[result.length - 1] = { offset: last.offset, length: offset + length - last.offset };
    } else result.push({ offset, length });
  }
  return result;
}

function* stretches(descriptor: number, stats: fs.BigIntStats): Generator<Segment> {
  const size = Number(stats.size);
  if (size === 0) return;
  if (stats.blocks * 512n >= stats.size) return yield { offset: 0, length: size };
  for (let at = 0; at < size;) {
    const offset = linux.seek(descriptor, at, "data");
    if (offset === undefined || offset >= size) return;
    const end = Math.min(size, linux.seek(descriptor, offset, "hole") ?? size);
    yield { offset, length: end - offset };
    at = end;
  }
}

const MOST_SEGMENTS = 20_000;

/** Copies contents; knows whether the file system can share them instead. */
export class ContentCopier {
  readonly #room: Buffer = Buffer.allocUnsafeSlow(1 << 20);
  #canClone = true;

  /** Makes `to`, which must not exist. `pause` is awaited now and then, and may throw to end it. */
  async copy(from: BytePath, to: BytePath, pause: () => Promise<void> | undefined): Promise<void> {
    if (this.#canClone && this.#clone(from, to)) return;
    const source = fs.openSync(
      asArgument(from),
      fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
    );
    const target = fs.openSync(asArgument(to), "wx", 0o600);
    try {
      const stats = fs.fstatSync(source, { bigint: true });
      for (const segment of segmentsOf(source, stats)) await this.#stretch(source, target, segment, pause);
      fs.ftruncateSync(target, Number(stats.size));
    } finally {
      fs.closeSync(source);
      fs.closeSync(target);
    }
  }

  async #stretch(
    source: number,
    target: number,
    { offset, length }: Segment,
    pause: () => Promise<void> | undefined,
  ): Promise<void> {
    for (let done = 0; done < length;) {
      const wanted = Math.min(this.#room.length, length - done);
      const count = fs.readSync(source, this.#room, 0, wanted, offset + done);
      // It is shorter by now: who looks at its times afterwards will see it.
      if (count === 0) return;
      writeAt(target, this.#room.subarray(0, count), offset + done);
      done += count;
      await pause();
    }
  }

  #clone(from: BytePath, to: BytePath): boolean {
    const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = fs.constants;
    try {
      fs.copyFileSync(asArgument(from), asArgument(to), COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
      return true;
    } catch (error) {
      if (!CANNOT_CLONE.has(systemErrorCode(error) ?? "")) throw error;
      fs.rmSync(asArgument(to), { force: true });
      this.#canClone = false;
      return false;
    }
  }
}

const CANNOT_CLONE: ReadonlySet<string> = new Set(["ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EINVAL", "ENOTTY"]);

function writeAt(descriptor: number, chunk: Uint8Array, position: number): void {
  for (let at = 0; at < chunk.length;) at += fs.writeSync(descriptor, chunk, at, chunk.length - at, position + at);
}

function asArgument(path: BytePath): string | Buffer {
  return typeof path === "string" ? path : Buffer.from(path);
}
