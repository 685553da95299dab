// SPDX-License-Identifier: Apache-2.0
/* The two facts of a shared object that its place in a container depends on. Only the parts with them are read. */
import * as fs from "node:fs";

/** What the loader knows a library by, and for which kind of program it is. */
export interface SharedObject {
  readonly bits: 32 | 64;
  readonly soname?: string;
}

const MAGIC = 0x7f454c46;
const [PT_LOAD, PT_DYNAMIC] = [1, 2];
const [DT_STRTAB, DT_SONAME] = [5, 14];
/** Longer than any table of segments or dynamic section of a driver's library. */
const LIMIT = 64 * 1024;

/** Reads a library; undefined for what is none, or is damaged. */
export function readSharedObject(path: string): SharedObject | undefined {
  const descriptor = fs.openSync(path, "r");
  try {
    const read = (offset: number, length: number): Buffer => {
      // A damaged file may name any place.
      const buffer = Buffer.alloc(
        Number.isSafeInteger(offset) && offset >= 0 ? Math.max(0, Math.min(length, LIMIT)) : 0,
      );
      if (buffer.length === 0) return buffer;
      return buffer.subarray(0, fs.readSync(descriptor, buffer, 0, buffer.length, offset));
    };
    return parse(read);
  } finally {
    fs.closeSync(descriptor);
  }
}

type Read = (offset: number, length: number) => Buffer;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function parse(read: Read): SharedObject | undefined {
  const head = read(0, 64);
  if (head.length < 52 || head.readUInt32BE(0) !== MAGIC || head[5] !== 1) return undefined;
  const bits = head[4] === 2 ? 64 : 32;
  if (bits === 64 && head.length < 64) return undefined;
  const soname = sonameOf(read, segmentsOf(read, head, bits), bits);
  return { bits, ...(soname === undefined ? {} : { soname }) };
}

/** Numbers of an address' size. */
function word(buffer: Buffer, offset: number, bits: 32 | 64): number {
  if (offset + bits / 8 > buffer.length) return 0;
  return bits === 64 ? Number(buffer.readBigUInt64LE(offset)) : buffer.readUInt32LE(offset);
}

function segmentsOf(read: Read, head: Buffer, bits: 32 | 64): readonly Segment[] {
  const [start, size, count] =
    bits === 64
      ? [word(head, 32, 64), head.readUInt16LE(54), head.readUInt16LE(56)]
      : [word(head, 28, 32), head.readUInt16LE(42), head.readUInt16LE(44)];
  const table = read(start, size * count);
  if (size < (bits === 64 ? 56 : 32)) return [];
  return Array.from({ length: Math.floor(table.length / size) }, (_, index) => segment(table, index * size, bits));
}

function segment(table: Buffer, at: number, bits: 32 | 64): Segment {
  const [offset, address, size] = bits === 64 ? [8, 16, 32] : [4, 8, 16];
  return {
    type: table.readUInt32LE(at),
    offset: word(table, at + offset, bits),
    address: word(table, at + address, bits),
    size: word(table, at + size, bits),
  };
}

function sonameOf(read: Read, segments: readonly Segment[], bits: 32 | 64): string | undefined {
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return undefined;
  const table = read(dynamic.offset, dynamic.size);
  const step = bits / 4;
  const entries = Array.from({ length: Math.floor(table.length / step) }, (_, index) => index * step);
  const valueOf = (tag: number): number | undefined => {
    const at = entries.find((entry) => word(table, entry, bits) === tag);
    return at === undefined ? undefined : word(table, at + bits / 8, bits);
  };
  const [name, strings] = [valueOf(DT_SONAME), valueOf(DT_STRTAB)];
  if (name === undefined || strings === undefined) return undefined;
  const home = segments.find(
    ({ type, address, size }) => type === PT_LOAD && strings >= address && strings < address + size,
  );
  if (home === undefined) return undefined;
  const text = read(strings - home.address + home.offset + name, 256);
  const end = text.indexOf(0);
  const soname = end > 0 ? text.toString("latin1", 0, end) : "";
  return /^[\w.+-]+$/.test(soname) ? soname : undefined;
}
