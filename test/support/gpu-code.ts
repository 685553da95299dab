// SPDX-License-Identifier: Apache-2.0
/* Code for GPUs as compilers pack it into shared objects, without the code: for tests of who reads the containers. */
import * as zlib from "node:zlib";

/** An entry of a region. */
export interface FatbinEntryFixture {
  /** `8.0`, `9.0a`, `10.0f`. */
  readonly architecture: string;
  readonly kind?: "cubin" | "ptx";
  /** Number of the kind in place of the right one. */
  readonly kindNumber?: number;
  readonly payload?: Buffer;
  readonly flags?: number;
  /** Bytes of the header; at least 64. */
  readonly header?: number;
  /** In place of the payload's size. */
  readonly size?: bigint;
}

/** A region of `.nv_fatbin`. `size` is told in place of the right one. */
export function fatbinRegion(entries: readonly FatbinEntryFixture[], size?: bigint): Buffer {
  const body = Buffer.concat(entries.map(fatbinEntry));
  const header = Buffer.alloc(16);
  header.writeUInt32LE(0xba55ed50, 0);
  header.writeUInt16LE(1, 4);
  header.writeUInt16LE(16, 6);
  header.writeBigUInt64LE(size ?? BigInt(body.length), 8);
  return Buffer.concat([header, body]);
}

function fatbinEntry(entry: FatbinEntryFixture): Buffer {
  const { architecture, kind = "cubin", payload = cubin(128), header: length = 64 } = entry;
  const [, number = "0", variant = ""] = /^([\d.]+)([af]?)$/.exec(architecture) ?? [];
  const header = Buffer.alloc(length);
  const padding = Buffer.alloc((8 - (payload.length % 8)) % 8);
  header.writeUInt16LE(entry.kindNumber ?? (kind === "ptx" ? 1 : 2), 0);
  header.writeUInt16LE(0x0101, 2);
  header.writeUInt32LE(length, 4);
  header.writeBigUInt64LE(entry.size ?? BigInt(payload.length + padding.length), 8);
  header.writeUInt32LE((entry.flags ?? 0) === 0 ? 0 : payload.length, 16);
  header.writeUInt32LE(Math.round(Number(number) * 10), 28);
  const specific = variant === "a" ? 0x100000 : variant === "f" ? 0x200000 : 0;
  header.writeUInt32LE(0x11 | specific | (entry.flags ?? 0), 40);
  return Buffer.concat([header, payload, padding]);
}

/** The start of machine code by CUDA up to 12 (`version` 128 is 12.8), and the text that later ones have. */
export function cubin(version: number, text = "", size = 96): Buffer {
  const bytes = Buffer.alloc(Math.max(size, 64 + text.length));
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0x33, 7]);
  bytes.writeUInt16LE(2, 16);
  bytes.writeUInt16LE(190, 18);
  bytes.writeUInt32LE(version, 20);
  bytes.write(text, 64, "latin1");
  return bytes;
}

/** An uncompressed bundle of code for AMD's GPUs. */
export function offloadBundle(ids: readonly string[], code: Buffer = Buffer.alloc(64)): Buffer {
  const heads = ids.map((id) => Buffer.alloc(24 + id.length));
  let at = 4096;
  ids.forEach((id, index) => {
    const head = heads[index];
    const size = id.startsWith("host") ? 0 : code.length;
    head?.writeBigUInt64LE(BigInt(at), 0);
    head?.writeBigUInt64LE(BigInt(size), 8);
    head?.writeBigUInt64LE(BigInt(id.length), 16);
    head?.write(id, 24, "latin1");
    at += size;
  });
  const count = Buffer.alloc(8);
  count.writeBigUInt64LE(BigInt(ids.length));
  const head = Buffer.concat([Buffer.from("__CLANG_OFFLOAD_BUNDLE__"), count, ...heads]);
  const codes = ids.filter((id) => !id.startsWith("host")).map(() => code);
  return Buffer.concat([head, Buffer.alloc(4096 - head.length), ...codes]);
}

/** The same compressed, in the header's version. */
export function compressedBundle(bundle: Buffer, version: 1 | 2 | 3, method: "zlib" | "zstd"): Buffer {
  const payload = method === "zstd" ? zlib.zstdCompressSync(bundle) : zlib.deflateSync(bundle);
  const header = Buffer.alloc({ 1: 20, 2: 24, 3: 32 }[version]);
  header.write("CCOB", 0, "latin1");
  header.writeUInt16LE(version, 4);
  header.writeUInt16LE(method === "zstd" ? 1 : 0, 6);
  const size = header.length + payload.length;
  if (version === 1) header.writeUInt32LE(bundle.length, 8);
  if (version === 2) header.writeUInt32LE(size, 8);
  if (version === 2) header.writeUInt32LE(bundle.length, 12);
  if (version === 3) header.writeBigUInt64LE(BigInt(size), 8);
  if (version === 3) header.writeBigUInt64LE(BigInt(bundle.length), 16);
  return Buffer.concat([header, payload, Buffer.alloc((8 - (size % 8)) % 8)]);
}
