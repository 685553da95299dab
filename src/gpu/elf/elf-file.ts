// SPDX-License-Identifier: Apache-2.0
/*
 * Parts of 64-bit little-endian ELF files (System V ABI, "Object Files"; man 5 elf), which may be forged: what makes no
 * sense is not there, sizes are bounded, nothing is believed to be ordered.
 */
import * as fs from "node:fs";
import { ioError } from "../../base/index.ts";
import { sourceOf } from "./walk.ts";
import type { ByteSource } from "./walk.ts";

/** A section with bytes in the file. */
export interface Section {
  readonly name: string;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  /** Index of another section; of a dynamic one that with its strings. */
  readonly link: number;
}

/** What a shared object says of itself. */
export interface ElfFile {
  readonly machine: "x86_64" | "aarch64" | "other";
  readonly soname?: string;
  readonly needed: readonly string[];
}

/** One note. */
export interface ElfNote {
  readonly name: string;
  readonly type: number;
  readonly description: Buffer;
}

const HEADER = 64;
const SECTION = 64;
const MOST_SECTIONS = 4096;
const LARGEST_STRINGS = 16 << 20;
const LARGEST_DYNAMIC = 1 << 20;
const LARGEST_NOTE = 1 << 20;
const LONGEST_NAME = 4096;
const SHT = { dynamic: 6, note: 7, nobits: 8 } as const;
const DT = { end: 0, needed: 1, soname: 14 } as const;
const MACHINES: Readonly<Record<number, ElfFile["machine"]>> = { 62: "x86_64", 183: "aarch64" };

/** Opens a file to read parts of it; who opens it closes it. Throws `E_IO`. */
export function openSource(path: string): ByteSource & { close(): void } {
  try {
    const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const source = sourceOf(fs.fstatSync(descriptor).size, (at, length) => readAt(descriptor, at, length));
    return { ...source, close: () => fs.closeSync(descriptor) };
  } catch (error) {
    throw ioError(`reading \`${path}\``, error);
  }
}

function readAt(descriptor: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const count = fs.readSync(descriptor, bytes, done, length - done, at + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}

/** The sections; none for a file that is no such ELF file, undefined for one whose table of sections is broken. */
export function readSections(source: ByteSource): readonly Section[] | undefined {
  const header = source.read(0, HEADER);
  if (!isElf64(header)) return [];
  const offset = numberAt(header, 40);
  const [size, count, names] = [header.readUInt16LE(58), header.readUInt16LE(60), header.readUInt16LE(62)];
  if (offset === 0 || count === 0) return [];
  if (size !== SECTION || count > MOST_SECTIONS || offset + count * SECTION > source.size) return undefined;
  const table = source.read(offset, count * SECTION);
  const rows = Array.from({ length: count }, (_, index) => sectionOf(table.subarray(index * SECTION)));
  const strings = rows[names];
  if (strings === undefined || strings.size > LARGEST_STRINGS) return undefined;
  const text = source.read(strings.offset, strings.size);
  return rows.map(({ nameAt, ...section }) => ({ ...section, name: stringAt(text, nameAt) }));
}

function isElf64(header: Buffer): boolean {
  return header.length === HEADER && header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
}

function sectionOf(row: Buffer): Omit<Section, "name"> & { readonly nameAt: number } {
  const type = row.readUInt32LE(4);
  return {
    nameAt: row.readUInt32LE(0),
    type,
    offset: numberAt(row, 24),
    size: type === SHT.nobits ? 0 : numberAt(row, 32),
    link: row.readUInt32LE(40),
  };
}

/** Beyond 2^53 it fits no file, and no comparison with a size holds. */
function numberAt(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function stringAt(strings: Buffer, at: number): string {
  if (at >= strings.length) return "";
  const end = strings.indexOf(0, at);
  return strings.toString("latin1", at, Math.min(end < 0 ? strings.length : end, at + LONGEST_NAME));
}

/** SONAME and NEEDED; undefined for what is no such ELF file or is broken. Throws what reading throws. */
export function readElf(source: ByteSource): ElfFile | undefined {
  const header = source.read(0, HEADER);
  const sections = readSections(source);
  if (!isElf64(header) || sections === undefined) return undefined;
  const machine = MACHINES[header.readUInt16LE(18)] ?? "other";
  const entries = dynamicEntries(source, sections);
  const textsOf = (tag: number): readonly string[] => entries.flatMap((entry) => (entry.tag === tag ? entry.text : []));
  const [soname] = textsOf(DT.soname);
  return { machine, needed: textsOf(DT.needed), ...(soname === undefined ? {} : { soname }) };
}

function dynamicEntries(
  source: ByteSource,
  sections: readonly Section[],
): readonly { readonly tag: number; readonly text: string }[] {
  const dynamic = sections.find(({ type }) => type === SHT.dynamic);
  const strings = dynamic && sections[dynamic.link];
  if (!dynamic || !strings || dynamic.size > LARGEST_DYNAMIC || strings.size > LARGEST_STRINGS) return [];
  const table = source.read(dynamic.offset, dynamic.size);
  const texts = source.read(strings.offset, strings.size);
  const entries: { readonly tag: number; readonly text: string }[] = [];
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const tag = numberAt(table, at);
    if (tag === DT.end) break;
    if (tag === DT.needed || tag === DT.soname) entries.push({ tag, text: stringAt(texts, numberAt(table, at + 8)) });
  }
  return entries;
}

/** The notes in a section of that name. Throws what reading throws. */
export function readNotes(source: ByteSource, name: string): readonly ElfNote[] {
  const section = (readSections(source) ?? []).find((one) => one.name === name);
  if (section === undefined || section.size > LARGEST_NOTE) return [];
  const bytes = source.read(section.offset, section.size);
  const notes: ElfNote[] = [];
  for (let at = 0; at + 12 <= bytes.length;) {
    const [nameSize, size] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
    const start = at + 12 + aligned(nameSize);
    if (start + size > bytes.length) break;
    const owner = bytes.toString("latin1", at + 12, at + 12 + nameSize).replace(/\0+$/, "");
    notes.push({ name: owner, type: bytes.readUInt32LE(at + 8), description: bytes.subarray(start, start + size) });
    at = start + aligned(size);
  }
  return notes;
}

function aligned(size: number): number {
  return Math.ceil(size / 4) * 4;
}
