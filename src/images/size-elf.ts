// SPDX-License-Identifier: Apache-2.0
/*
 * How much of a program or library is there for debuggers alone: the sections that `strip` removes. Read from the ELF
 * section headers (System V ABI, "Sections"; man 5 elf), which an image's maker may have forged: what makes no sense
 * counts as none.
 */
import * as fs from "node:fs";

const FOR_DEBUGGERS = /^\.(?:z?debug_|gnu_debugdata$|gdb_index$|symtab$|strtab$)/;
const HEADER = 64;
const MOST_SECTIONS = 4096;
const LONGEST_NAMES = 1 << 20;

interface Section {
  readonly name: number;
  readonly offset: number;
  readonly size: number;
}

/** Bytes of a file's sections for debuggers; 0 for what is no ELF file. Throws what reading throws. */
export function debugBytes(path: string): number {
  const descriptor = fs.openSync(path, "r");
  try {
    const size = fs.fstatSync(descriptor).size;
    const sections = sectionsOf(descriptor, size);
    const found = sections.filter(({ name, offset, size: bytes }) => {
      return FOR_DEBUGGERS.test(name) && offset + bytes <= size;
    });
    const sum = found.reduce((total, section) => total + section.size, 0);
    return Math.min(size, sum);
  } finally {
    fs.closeSync(descriptor);
  }
}

interface NamedSection extends Omit<Section, "name"> {
  readonly name: string;
}

function sectionsOf(descriptor: number, size: number): readonly NamedSection[] {
  const header = readAt(descriptor, 0, HEADER);
  if (header.length < HEADER || header.readUInt32BE(0) !== 0x7f454c46) return [];
  const reader = new ElfReader(header);
  const { offset, entry, count, names } = reader.table();
  if (entry < reader.least || count > MOST_SECTIONS || offset + entry * count > size) return [];
  const table = readAt(descriptor, offset, entry * count);
  if (table.length < entry * count) return [];
  const sections = Array.from({ length: count }, (_, index) => reader.section(table, index * entry));
  const texts = sections[names];
  if (!texts || texts.size > LONGEST_NAMES || texts.offset + texts.size > size) return [];
  const strings = readAt(descriptor, texts.offset, texts.size);
  return sections.map((section) => ({ ...section, name: textAt(strings, section.name) }));
}

function readAt(descriptor: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, fs.readSync(descriptor, bytes, 0, length, offset));
}

function textAt(strings: Buffer, start: number): string {
  if (start >= strings.length) return "";
  const end = strings.indexOf(0, start);
  return strings.toString("latin1", start, end < 0 ? strings.length : end);
}

/** Fields by class (32 or 64 bits) and byte order. */
class ElfReader {
  readonly #header: Buffer;
  readonly #is64: boolean;
  readonly #isLittle: boolean;

  constructor(header: Buffer) {
    this.#header = header;
    this.#is64 = header[4] === 2;
    this.#isLittle = header[5] === 1;
  }

  /** Bytes of a section header at least. */
  get least(): number {
    return this.#is64 ? 64 : 40;
  }

  table(): { readonly offset: number; readonly entry: number; readonly count: number; readonly names: number } {
    const at = this.#is64 ? 0x3a : 0x2e;
    const offset = this.#word(this.#header, this.#is64 ? 0x28 : 0x20);
    return {
      offset,
      entry: this.#half(this.#header, at),
      count: offset === 0 ? 0 : this.#half(this.#header, at + 2),
      names: this.#half(this.#header, at + 4),
    };
  }

  /** A section; one without bytes in the file (`SHT_NOBITS`) has none. */
  section(table: Buffer, at: number): Section {
    const [offset, size] = this.#is64 ? [at + 0x18, at + 0x20] : [at + 0x10, at + 0x14];
    const isEmpty = this.#int(table, at + 4) === 8;
    return {
      name: this.#int(table, at),
      offset: this.#word(table, offset),
      size: isEmpty ? 0 : this.#word(table, size),
    };
  }

  #half(bytes: Buffer, at: number): number {
    return this.#isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }

  #int(bytes: Buffer, at: number): number {
    return this.#isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  /** An address-sized field; beyond 2^53 it is no number that fits a file, and no comparison holds. */
  #word(bytes: Buffer, at: number): number {
    if (!this.#is64) return this.#int(bytes, at);
    return Number(this.#isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at));
  }
}
