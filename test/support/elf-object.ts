// SPDX-License-Identifier: Apache-2.0
/*
 * Shared objects made without a compiler: small, right in every part that the dynamic loader and ELF readers look at,
 * and loadable. One file, two segments (read and run; read and write for the dynamic section), and section headers.
 */

/** What a made shared object has. */
export interface ElfObject {
  readonly soname?: string;
  readonly needed?: readonly string[];
  /** What functions do. */
  readonly functions?: Readonly<Record<string, ElfFunction>>;
  /** Machine code by function name, for those that do more; at home on this machine's architecture only. */
  readonly code?: Readonly<Record<string, Uint8Array>>;
  /** Sections that are not loaded, as `.nv_fatbin`. */
  readonly sections?: Readonly<Record<string, Uint8Array>>;
  /** Sections of type NOTE, each with one note. */
  readonly notes?: Readonly<Record<string, ElfNote>>;
  /** The machine's own when absent. */
  readonly machine?: "x86_64" | "aarch64";
}

/**
 * A number below 65536 that a function returns, or one that it writes as 32 bits to where its first argument points, to
 * return 0 then.
 */
export type ElfFunction = number | { readonly writes: number };

/** One note. */
export interface ElfNote {
  readonly name: string;
  readonly type: number;
  readonly description: Uint8Array;
}

const MACHINES = { x86_64: 62, aarch64: 183 } as const;
const DT = { needed: 1, hash: 4, strings: 5, symbols: 6, stringsLength: 10, symbolLength: 11, soname: 14 } as const;
const PT = { load: 1, dynamic: 2, stack: 0x6474e551 } as const;
const SEGMENTS = 4;
/** Larger than any page size, so that the two segments never share a page. */
const PAGE = 0x10000;
const TYPES = { progbits: 1, symtab: 2, strtab: 3, hash: 5, dynamic: 6, note: 7, dynsym: 11 } as const;

/** The head of a 32-bit library, and nothing behind it. */
export const HEAD_32: Buffer = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]), Buffer.alloc(45)]);

interface Section {
  readonly name: string;
  readonly type: number;
  readonly data: Buffer;
  readonly flags?: number;
  readonly link?: number;
  readonly info?: number;
  readonly entry?: number;
}

type Placed = Section & { readonly offset: number; readonly address: number };

/** The bytes of a shared object. */
export function elfObject(object: ElfObject): Buffer {
  const machine = object.machine ?? (process.arch === "arm64" ? "aarch64" : "x86_64");
  const extra = [...Object.entries(object.sections ?? {}).map(plain), ...noteSections(object)];
  return assemble(machine, loadedSections(object, machine), extra);
}

/** In the order of the file; the last one is the dynamic section, in pages of its own. */
function loadedSections(object: ElfObject, machine: string): readonly Placed[] {
  const code = Object.entries({ ...object.code, ...bodies(object.functions ?? {}, machine) });
  const strings = new Strings();
  const needed = (object.needed ?? []).map((name) => [DT.needed, strings.add(name)] as const);
  const soname = object.soname === undefined ? [] : [[DT.soname, strings.add(object.soname)] as const];
  const symbols = code.map(([name, body]) => ({ name: strings.add(name), size: body.length }));
  const text = Buffer.concat(code.map(([, body]) => padded(Buffer.from(body), 16)));
  const sizes = [text.length, 4 * (4 + symbols.length), 24 * (1 + symbols.length), strings.bytes().length];
  const [atText = 0, atHash = 0, atSymbols = 0, atStrings = 0, end = 0] = places(64 + SEGMENTS * 56, sizes);
  const tables = [
    [DT.hash, atHash],
    [DT.strings, atStrings],
    [DT.symbols, atSymbols],
  ] as const;
  const lengths = [
    [DT.stringsLength, strings.bytes().length],
    [DT.symbolLength, 24],
    [0, 0],
  ] as const;
  const dynamic = dynamicTable([...needed, ...soname, ...tables, ...lengths]);
  const dynamicSymbols = { name: ".dynsym", type: TYPES.dynsym, flags: 2, link: 4, info: 1, entry: 24 };
  return [
    { name: "", type: 0, data: Buffer.alloc(0), offset: 0, address: 0 },
    { name: ".text", type: TYPES.progbits, data: text, flags: 6, ...at(atText) },
    { name: ".hash", type: TYPES.hash, data: hashTable(symbols.length), flags: 2, link: 3, entry: 4, ...at(atHash) },
    { ...dynamicSymbols, data: symbolTable(symbols, atText), ...at(atSymbols) },
    { name: ".dynstr", type: TYPES.strtab, data: strings.bytes(), flags: 2, ...at(atStrings) },
    { name: ".dynamic", type: TYPES.dynamic, data: dynamic, flags: 3, link: 4, entry: 16, ...at(end, PAGE) },
  ];
}

function at(offset: number, shift = 0): { readonly offset: number; readonly address: number } {
  return { offset, address: offset + shift };
}

function assemble(machine: keyof typeof MACHINES, loaded: readonly Placed[], extra: readonly Section[]): Buffer {
  const dynamic = loaded.at(-1);
  if (!dynamic) throw new Error("a shared object has sections");
  const strings = new Strings();
  const unplaced = [...extra, { name: ".shstrtab", type: TYPES.strtab, data: Buffer.alloc(0) }];
  const names = [...loaded, ...unplaced].map(({ name }) => (name === "" ? 0 : strings.add(name)));
  const rest = [...extra, { name: ".shstrtab", type: TYPES.strtab, data: strings.bytes() }];
  const starts = places(
    dynamic.offset + dynamic.data.length,
    rest.map(({ data }) => data.length),
  );
  const all = [...loaded, ...rest.map((section, index) => ({ ...section, offset: starts[index] ?? 0, address: 0 }))];
  const headers = starts.at(-1) ?? 0;
  const file = Buffer.alloc(headers + all.length * 64);
  writeHeader(file, MACHINES[machine], headers, all.length);
  writeSegments(file, dynamic);
  all.forEach((section, index) => {
    section.data.copy(file, section.offset);
    writeSection(file, headers + index * 64, section, names[index] ?? 0);
  });
  return file;
}

function writeSegments(file: Buffer, dynamic: Placed): void {
  const rest = { offset: dynamic.offset, address: dynamic.address, size: dynamic.data.length };
  const segments: readonly Segment[] = [
    { type: PT.load, flags: 5, offset: 0, address: 0, size: dynamic.offset, alignment: PAGE },
    { type: PT.load, flags: 6, ...rest, alignment: PAGE },
    { type: PT.dynamic, flags: 6, ...rest, alignment: 8 },
    // Without it the loader takes it that the stack has to be executable.
    { type: PT.stack, flags: 6, offset: 0, address: 0, size: 0, alignment: 16 },
  ];
  segments.forEach((segment, index) => writeSegment(file, 64 + 56 * index, segment));
}

function bodies(functions: NonNullable<ElfObject["functions"]>, machine: string): Record<string, Uint8Array> {
  const make = machine === "x86_64" ? x86 : arm;
  return Object.fromEntries(Object.entries(functions).map(([name, body]) => [name, make(body)]));
}

function x86(body: ElfFunction): Buffer {
  const move = Buffer.alloc(6);
  // mov eax, value; or mov dword [rdi], value and xor eax, eax
  if (typeof body === "number") {
    move.writeUInt8(0xb8, 0);
    move.writeUInt32LE(body, 1);
    move.writeUInt8(0xc3, 5);
    return move;
  }
  move.writeUInt16LE(0x07c7, 0);
  move.writeUInt32LE(body.writes, 2);
  return Buffer.concat([move, Buffer.from([0x31, 0xc0, 0xc3])]);
}

function arm(body: ElfFunction): Buffer {
  const movz = (register: number, value: number): number => (0x52800000 | (value << 5) | register) >>> 0;
  const high = (value: number): number => (0x72a00000 | (value << 5) | 1) >>> 0;
  const ret = 0xd65f03c0;
  const write = (value: number): readonly number[] => [movz(1, value & 0xffff), high(value >>> 16), 0xb9000001];
  const words = typeof body === "number" ? [movz(0, body), ret] : [...write(body.writes), movz(0, 0), ret];
  const code = Buffer.alloc(4 * words.length);
  words.forEach((word, index) => code.writeUInt32LE(word, 4 * index));
  return code;
}

/** One bucket, in which every symbol stands: the number of symbols is small. */
function hashTable(count: number): Buffer {
  const chain = Array.from({ length: count }, (_, index) => (index + 1 < count ? index + 2 : 0));
  const words = [1, count + 1, count > 0 ? 1 : 0, 0, ...chain];
  const table = Buffer.alloc(words.length * 4);
  words.forEach((word, index) => table.writeUInt32LE(word, index * 4));
  return table;
}

function symbolTable(symbols: readonly { readonly name: number; readonly size: number }[], text: number): Buffer {
  const table = Buffer.alloc(24 * (symbols.length + 1));
  let address = text;
  symbols.forEach(({ name, size }, index) => {
    const at = 24 * (index + 1);
    table.writeUInt32LE(name, at);
    // Global function, in section 1.
    table.writeUInt8(0x12, at + 4);
    table.writeUInt16LE(1, at + 6);
    table.writeBigUInt64LE(BigInt(address), at + 8);
    table.writeBigUInt64LE(BigInt(size), at + 16);
    address += align(size, 16);
  });
  return table;
}

function dynamicTable(entries: readonly (readonly [number, number])[]): Buffer {
  const table = Buffer.alloc(16 * entries.length);
  entries.forEach(([tag, value], index) => {
    table.writeBigInt64LE(BigInt(tag), 16 * index);
    table.writeBigUInt64LE(BigInt(value), 16 * index + 8);
  });
  return table;
}

function plain([name, data]: readonly [string, Uint8Array]): Section {
  return { name, type: TYPES.progbits, data: Buffer.from(data) };
}

function noteSections(object: ElfObject): readonly Section[] {
  return Object.entries(object.notes ?? {}).map(([name, note]) => ({ name, type: TYPES.note, data: noteBytes(note) }));
}

function noteBytes({ name, type, description }: ElfNote): Buffer {
  const head = Buffer.alloc(12);
  const owner = Buffer.from(`${name}\0`);
  head.writeUInt32LE(owner.length, 0);
  head.writeUInt32LE(description.length, 4);
  head.writeUInt32LE(type, 8);
  return Buffer.concat([head, padded(owner, 4), padded(Buffer.from(description), 4)]);
}

function writeHeader(file: Buffer, machine: number, headers: number, count: number): void {
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  [3, machine].forEach((value, index) => file.writeUInt16LE(value, 16 + 2 * index));
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(64n, 32);
  file.writeBigUInt64LE(BigInt(headers), 40);
  [64, 56, SEGMENTS, 64, count, count - 1].forEach((value, index) => file.writeUInt16LE(value, 52 + 2 * index));
}

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
  readonly alignment: number;
}

function writeSegment(file: Buffer, at: number, segment: Segment): void {
  const { type, flags, offset, address, size, alignment } = segment;
  file.writeUInt32LE(type, at);
  file.writeUInt32LE(flags, at + 4);
  const words = [offset, address, address, size, size, alignment];
  words.forEach((word, index) => file.writeBigUInt64LE(BigInt(word), at + 8 + 8 * index));
}

function writeSection(file: Buffer, at: number, section: Placed, name: number): void {
  const { type, flags = 0, address, offset, data, link = 0, info = 0, entry = 0 } = section;
  file.writeUInt32LE(name, at);
  file.writeUInt32LE(type, at + 4);
  const words = [flags, address, offset, data.length];
  words.forEach((word, index) => file.writeBigUInt64LE(BigInt(word), at + 8 + 8 * index));
  file.writeUInt32LE(link, at + 40);
  file.writeUInt32LE(info, at + 44);
  file.writeBigUInt64LE(type === TYPES.note ? 4n : 8n, at + 48);
  file.writeBigUInt64LE(BigInt(entry), at + 56);
}

/** Where parts of these lengths begin, and where the last one ends. */
function places(start: number, lengths: readonly number[]): readonly number[] {
  const ends = lengths.reduce<readonly number[]>(
    (all, length) => [...all, align((all.at(-1) ?? 0) + length, 16)],
    [align(start, 16)],
  );
  return ends;
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function padded(data: Buffer, to: number): Buffer {
  return Buffer.concat([data, Buffer.alloc(align(data.length, to) - data.length)]);
}

/** A table of strings that end with a zero byte. */
class Strings {
  #text = "\0";

  add(name: string): number {
    const at = Buffer.byteLength(this.#text);
    this.#text += `${name}\0`;
    return at;
  }

  bytes(): Buffer {
    return Buffer.from(this.#text);
  }
}
