// SPDX-License-Identifier: Apache-2.0
/*
 * NVIDIA's container of code for several architectures, as `cuobjdump` lists it. A section `.nv_fatbin` has one region
 * for each unit that was compiled:
 *
 *   region   magic ba55ed50 (4) · version 1 (2) · header size 16 (2) · bytes of all entries (8)
 *   entry    kind (2) · 0101 (2) · header size (4) · payload size (8) · compressed size (4) · options (4) ·
 *            minor, major version (2, 2) · architecture, 90 for 9.0 (4) · name (8) · flags (8) · 0 (8) · plain size (8)
 *
 * Kinds: 1 is PTX, 2 and 16 machine code. Flags: 0x2000 LZ4, 0x8000 zstd, 0x100000 the `a` of `sm_90a`, 0x200000 the `f`
 * of `sm_100f`; the last two were compared with what the compiler itself noted in the code (`-arch sm_103f`).
 */
import { lookedAt, toolkitOfCubin } from "./cubin.ts";
import type { KernelCode, KernelCounts } from "./kernel-counts.ts";
import { bytesAt } from "./walk.ts";
import type { Mark, Walk } from "./walk.ts";

export const FATBIN: Mark = { bytes: Buffer.from("50ed55ba", "hex"), alignment: 8 };
const HEADER = 16;
const ENTRY = 64;
const LARGEST_ENTRY = 4096;
const PTX = 1;
const MACHINE_CODE = [2, 16];
const FLAG_FAMILY = 0x200000;
const FLAG_SPECIFIC = 0x100000;
const LARGEST_ARCHITECTURE = 999;

/** Reads the region at a place; returns where to go on. What is no region counts for nothing. */
export function* readFatbin(at: number, end: number, counts: KernelCounts): Walk<number> {
  const header = yield* bytesAt(at, HEADER);
  const region = regionOf(header, at, end);
  if (region === undefined) return at + FATBIN.alignment;
  const codes: KernelCode[] = [];
  let place = at + HEADER;
  while (place < region.end) {
    const entry = entryOf(yield* bytesAt(place, ENTRY), region.end - place);
    if (entry === undefined) {
      // Its header alone may be chance, a first entry is none.
      if (place > at + HEADER) counts.isDamaged = true;
      return place;
    }
    if (entry.code !== undefined) addOnce(codes, entry.code);
    const looked = entry.code?.kind === "cubin" && counts.toolkit === undefined ? lookedAt(entry) : 0;
    if (looked > 0) counts.noteToolkit(toolkitOfCubin(yield* bytesAt(place + entry.header, looked), entry));
    place += entry.header + entry.payload;
  }
  counts.addRegion("nvidia", codes, region.end - at);
  return region.end;
}

function regionOf(header: Buffer, at: number, end: number): { readonly end: number } | undefined {
  if (header.length < HEADER || !header.subarray(0, 4).equals(FATBIN.bytes)) return undefined;
  if (header.readUInt16LE(4) !== 1 || header.readUInt16LE(6) !== HEADER) return undefined;
  const size = Number(header.readBigUInt64LE(8));
  return size > end - at - HEADER ? undefined : { end: at + HEADER + size };
}

/** What an entry's header says. */
export interface FatbinEntry {
  readonly header: number;
  readonly payload: number;
  /** Without the padding, when it is compressed. */
  readonly compressed: number;
  readonly flags: number;
  /** Absent for kinds that are neither machine code nor PTX. */
  readonly code?: KernelCode;
}

function entryOf(bytes: Buffer, room: number): FatbinEntry | undefined {
  if (bytes.length < ENTRY) return undefined;
  const header = bytes.readUInt32LE(4);
  const payload = Number(bytes.readBigUInt64LE(8));
  if (header < ENTRY || header > LARGEST_ENTRY || payload > room - header) return undefined;
  const flags = bytes.readUInt32LE(40);
  const code = codeOf(bytes.readUInt16LE(0), bytes.readUInt32LE(28), flags);
  const facts = { header, payload, compressed: bytes.readUInt32LE(16), flags };
  return code === undefined ? facts : { ...facts, code };
}

function codeOf(kind: number, architecture: number, flags: number): KernelCode | undefined {
  if (architecture < 10 || architecture > LARGEST_ARCHITECTURE) return undefined;
  const variant = (flags & FLAG_SPECIFIC) !== 0 ? "a" : (flags & FLAG_FAMILY) !== 0 ? "f" : "";
  const name = `${Math.floor(architecture / 10)}.${architecture % 10}${variant}`;
  if (kind === PTX) return { kind: "ptx", architecture: name };
  return MACHINE_CODE.includes(kind) ? { kind: "cubin", architecture: name } : undefined;
}

/** A region of a hostile file may have millions of entries. */
function addOnce(codes: KernelCode[], code: KernelCode): void {
  const isKnown = codes.some(({ kind, architecture }) => kind === code.kind && architecture === code.architecture);
  if (!isKnown) codes.push(code);
}
