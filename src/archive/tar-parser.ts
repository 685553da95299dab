// SPDX-License-Identifier: Apache-2.0
/*
 * The tar reader's engine: bytes are pushed in, the handler is called at once and synchronously; nothing is copied
 * but headers that straddle two chunks. It knows v7, ustar, star, GNU (L, K, S, base-256) and PAX archives.
 *
 *   header block ─┬─ x g L K ─→ meta (collected) ─→ header block
 *                 ├─ S with more map ─→ map blocks ─→ body
 *                 ├─ GNU.sparse 1.0 ─→ map at the body's start ─→ body
 *                 └─ else ─→ body ─→ padding ─→ header block          zero block ─→ end: the rest is ignored
 */
import { TareError } from "../base/index.ts";
import { NO_XATTRS, decodeName } from "./tar-entry.ts";
import type { TarHeader, TarLimits, TarType } from "./tar-entry.ts";
import { BLOCK, checksumFits, nonNegative, parseHeader } from "./tar-header.ts";
import type { RawHeader } from "./tar-header.ts";
import { notTar } from "./tar-magic.ts";
import { decimal, parsePax, paxError, toSegments } from "./tar-pax.ts";
import type { PaxFacts, Segment } from "./tar-pax.ts";

/** Receives an archive's parts. An exception ends the parsing. */
export interface TarHandler {
  entry(header: TarHeader): void;
  /** A piece of the current file's content for `position`; gaps are zeros. Valid only during the call. */
  data(piece: Buffer, position: number): void;
  /** The current entry is complete. */
  end(): void;
}

type Limits = Required<TarLimits>;
type State = "header" | "map" | "bodyMap" | "meta" | "body" | "padding" | "ended";

const DEFAULTS: Limits = {
  entries: 10_000_000,
  pax: 1 << 20,
  path: 4096,
  component: 255,
  depth: 1024,
  requireEnd: false,
};

const TYPES: ReadonlyMap<string, TarType> = new Map([
  ["0", "file"],
  ["\0", "file"],
  ["7", "file"],
  ["S", "file"],
  ["1", "hardlink"],
  ["2", "symlink"],
  ["3", "char"],
  ["4", "block"],
  ["5", "directory"],
  ["6", "fifo"],
]);

/** Parses a tar archive that is pushed in pieces; call `finish` after the last one. */
export class TarParser {
  readonly #handler: TarHandler;
  readonly #limits: Limits;
  readonly #carry: Buffer = Buffer.alloc(BLOCK);
  #carried = 0;
  #state: State = "header";
  #left = 0;
  #padding = 0;
  #position = 0;
  #offset = 0;
  #entries = 0;
  #meta: Buffer = Buffer.alloc(0);
  #metaType = "";
  #global: PaxFacts = {};
  #pax: PaxFacts = {};
  #longName: Buffer | undefined;
  #longLink: Buffer | undefined;
  #raw: RawHeader | undefined;
  #numbers: number[] = [];
  #realSize = 0;
  #mapText = "";
  #mapWanted = 0;
  #segments: Segment[] | undefined;
  #segment = 0;
  #inSegment = 0;

  constructor(handler: TarHandler, limits: TarLimits = {}) {
    this.#handler = handler;
    this.#limits = { ...DEFAULTS, ...limits };
  }

  /** Number of entries seen so far. */
  get entries(): number {
    return this.#entries;
  }

  /** While the handler is told of an entry: where its header block is in the archive. */
  get offset(): number {
    return this.#offset;
  }

  /** Takes the next bytes. Throws `E_TAR_*`, and what the handler throws. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    let at = 0;
    while (at < bytes.length) {
      const used = this.#step(bytes, at);
      at += used;
      this.#offset += used;
    }
  }

  /** Ends the archive. Throws `E_TAR_TRUNC` when it ends inside an entry. */
  finish(): void {
    const isBetween = this.#state === "header" && this.#carried === 0 && !this.#hasPending();
    if (this.#state === "ended" || (isBetween && !this.#limits.requireEnd)) return;
    if (this.#offset < BLOCK && this.#entries === 0) throw notTar(this.#carry.subarray(0, this.#carried));
    throw new TareError("E_TAR_TRUNC", `reading a tar archive: it ends too early, after ${this.#offset} bytes`, {
      hint: "the archive is not complete: write or fetch it again",
    });
  }

  #hasPending(): boolean {
    return this.#longName !== undefined || this.#longLink !== undefined || Object.keys(this.#pax).length > 0;
  }

  #step(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case "body":
        return this.#body(bytes, at);
      case "meta":
        return this.#collect(bytes, at);
      case "padding": {
        const used = Math.min(this.#padding, bytes.length - at);
        this.#padding -= used;
        if (this.#padding === 0) this.#state = "header";
        return used;
      }
      case "ended":
        return bytes.length - at;
      default:
        return this.#wholeBlock(bytes, at);
    }
  }

  #wholeBlock(bytes: Buffer, at: number): number {
    if (this.#carried === 0 && bytes.length - at >= BLOCK) {
      this.#block(bytes, at);
      return BLOCK;
    }
    const used = Math.min(BLOCK - this.#carried, bytes.length - at);
    bytes.copy(this.#carry, this.#carried, at, at + used);
    this.#carried += used;
    if (this.#carried === BLOCK) {
      this.#carried = 0;
      this.#block(this.#carry, 0);
    }
    return used;
  }

  #block(bytes: Buffer, at: number): void {
    if (this.#state === "map") this.#gnuMapBlock(bytes, at);
    else if (this.#state === "bodyMap") this.#bodyMapBlock(bytes, at);
    else if (isZero(bytes, at)) this.#zeroBlock();
    else this.#header(bytes, at);
  }

  #zeroBlock(): void {
    if (this.#hasPending())
      throw new TareError("E_TAR_TRUNC", "reading a tar archive: an extended header has no entry");
    this.#state = "ended";
  }

  #header(bytes: Buffer, at: number): void {
    if (!checksumFits(bytes, at)) {
      if (this.#entries === 0 && !this.#hasPending()) throw notTar(bytes.subarray(at, at + BLOCK));
      throw new TareError("E_TAR_HEADER", `reading a tar header at byte ${this.#offset}: the checksum is wrong`);
    }
    const raw = parseHeader(bytes, at);
    if ("xgLKX".includes(raw.type)) this.#startMeta(raw);
    else if (raw.type === "V") this.#skip(raw.size);
    else this.#startEntry(raw, bytes, at);
  }

  #startMeta(raw: RawHeader): void {
    if (raw.size > this.#limits.pax) throw paxError(`it has ${raw.size} bytes, more than ${this.#limits.pax}`);
    this.#entries += 1;
    this.#checkCount();
    this.#metaType = raw.type;
    this.#meta = Buffer.allocUnsafe(raw.size);
    this.#left = raw.size;
    this.#padding = padding(raw.size);
    this.#state = "meta";
    if (raw.size === 0) this.#finishMeta();
  }

  #collect(bytes: Buffer, at: number): number {
    const used = Math.min(this.#left, bytes.length - at);
    bytes.copy(this.#meta, this.#meta.length - this.#left, at, at + used);
    this.#left -= used;
    if (this.#left === 0) this.#finishMeta();
    return used;
  }

  #finishMeta(): void {
    this.#state = this.#padding > 0 ? "padding" : "header";
    if (this.#metaType === "g") parsePax(this.#meta, this.#global, true);
    else if (this.#metaType === "L") this.#longName = untilNul(this.#meta);
    else if (this.#metaType === "K") this.#longLink = untilNul(this.#meta);
    else {
      this.#pax = {};
      parsePax(this.#meta, this.#pax, false);
    }
  }

  #skip(size: number): void {
    this.#padding = size + padding(size);
    if (this.#padding > 0) this.#state = "padding";
  }

  #startEntry(raw: RawHeader, bytes: Buffer, at: number): void {
    // The block may be a view of the caller's chunk, which is gone when a sparse map goes on in the next one.
    this.#raw = { ...raw, name: Buffer.from(raw.name), linkName: Buffer.from(raw.linkName) };
    this.#left = this.#pax.size ?? raw.size;
    this.#segments = undefined;
    this.#numbers = [];
    if (raw.type === "S") this.#gnuSparse(bytes, at);
    else if (this.#pax.sparse) this.#paxSparse();
    else this.#emit(this.#left);
  }

  #gnuSparse(bytes: Buffer, at: number): void {
    this.#realSize = nonNegative(bytes, at + 483, 12, "sparse size");
    this.#addPairs(bytes, at + 386, 4);
    if (bytes[at + 482] !== 0) this.#state = "map";
    else this.#emitSparse();
  }

  #gnuMapBlock(bytes: Buffer, at: number): void {
    this.#addPairs(bytes, at, 21);
    if (this.#numbers.length > this.#limits.pax / 8) throw paxError("the sparse map is too long");
    if (bytes[at + 504] === 0) this.#emitSparse();
  }

  #addPairs(bytes: Buffer, at: number, count: number): void {
    for (let index = 0; index < count; index += 1) {
      const place = at + index * 24;
      if (bytes[place] === 0) return;
      this.#numbers.push(nonNegative(bytes, place, 12, "sparse offset"));
      this.#numbers.push(nonNegative(bytes, place + 12, 12, "sparse length"));
    }
  }

  #paxSparse(): void {
    const sparse = this.#pax.sparse ?? { numbers: [] };
    this.#realSize = sparse.realSize ?? this.#left;
    this.#numbers = sparse.numbers;
    if (!sparse.mapInBody) return this.#emitSparse();
    [this.#mapText, this.#mapWanted] = ["", 0];
    if (this.#left < BLOCK) throw paxError("the sparse map is missing");
    this.#state = "bodyMap";
  }

  /** Decimal numbers, one a line: the count of pairs, then the pairs; padded to whole blocks. */
  #bodyMapBlock(bytes: Buffer, at: number): void {
    this.#mapText += bytes.toString("latin1", at, at + BLOCK);
    this.#left -= BLOCK;
    // Split only when enough lines can be there: a long map comes in many blocks.
    if (this.#mapText.length < this.#mapWanted && this.#left >= BLOCK && this.#mapText.length <= this.#limits.pax)
      return;
    const lines = this.#mapText.split("\n");
    const wanted = lines.length > 1 ? 2 * decimal(Buffer.from(lines[0] ?? ""), "sparse count") : Infinity;
    if (wanted !== Infinity && wanted > this.#limits.pax) throw paxError("the sparse map is too long");
    // Every number that is missing takes two bytes at least.
    this.#mapWanted = this.#mapText.length + 2 * Math.max(0, Math.min(wanted, this.#limits.pax) - lines.length);
    if (lines.length - 2 >= wanted) {
      this.#numbers = lines.slice(1, 1 + wanted).map((line) => decimal(Buffer.from(line), "sparse map"));
      this.#emitSparse();
    } else if (this.#left < BLOCK || this.#mapText.length > this.#limits.pax) throw paxError("the sparse map is cut");
  }

  #emitSparse(): void {
    const segments = toSegments(this.#numbers, this.#realSize);
    const stored = segments.reduce((sum, segment) => sum + segment.length, 0);
    if (stored !== this.#left) throw paxError("the sparse map does not fit the stored size");
    this.#segments = segments;
    [this.#segment, this.#inSegment] = [0, 0];
    this.#emit(this.#realSize);
  }

  #emit(size: number): void {
    const raw = this.#raw;
    if (raw === undefined) return;
    const header = this.#toHeader(raw, size);
    this.#raw = undefined;
    this.#pax = {};
    [this.#longName, this.#longLink] = [undefined, undefined];
    this.#entries += 1;
    this.#checkCount();
    if (header.type !== "file") this.#left = 0;
    this.#padding = padding(this.#left);
    this.#position = 0;
    this.#state = this.#left > 0 ? "body" : "header";
    this.#handler.entry(header);
    if (this.#left === 0) this.#handler.end();
  }

  #toHeader(raw: RawHeader, size: number): TarHeader {
    const [pax, global] = [this.#pax, this.#global];
    const nameBytes = pax.sparse?.name ?? pax.path ?? this.#longName ?? raw.name;
    const isOldDirectory = raw.type === "\0" && nameBytes[nameBytes.length - 1] === 47;
    const type = isOldDirectory ? "directory" : TYPES.get(raw.type);
    const name = decodeName(nameBytes);
    if (type === undefined) {
      throw new TareError("E_TAR_HEADER", `reading tar entry \`${name.text}\`: unknown type \`${raw.type}\``);
    }
    this.#checkName(nameBytes, name.text);
    const link = decodeName(pax.linkPath ?? this.#longLink ?? raw.linkName);
    const time = pax.mtime ?? global.mtime;
    return {
      type,
      name: name.text,
      rawName: name.raw,
      linkName: link.text,
      rawLinkName: link.raw,
      mode: raw.mode,
      uid: pax.uid ?? global.uid ?? raw.uid,
      gid: pax.gid ?? global.gid ?? raw.gid,
      size: type === "file" ? size : 0,
      mtime: time?.seconds ?? raw.mtime,
      mtimeNanoseconds: time?.nanoseconds ?? 0,
      deviceMajor: raw.deviceMajor,
      deviceMinor: raw.deviceMinor,
      xattrs: pax.xattrs ?? global.xattrs ?? NO_XATTRS,
    };
  }

  #checkCount(): void {
    if (this.#entries <= this.#limits.entries) return;
    throw new TareError("E_TAR_LIMIT", `reading a tar archive: more than ${this.#limits.entries} entries`);
  }

  #checkName(bytes: Buffer, text: string): void {
    if (bytes.length === 0) throw new TareError("E_TAR_HEADER", "reading a tar header: an entry has no name");
    if (bytes.length > this.#limits.path) throw this.#tooLong(text, `longer than ${this.#limits.path} bytes`);
    let [start, depth] = [0, 0];
    for (let index = 0; index <= bytes.length; index += 1) {
      if (index < bytes.length && bytes[index] !== 47) continue;
      if (index - start > this.#limits.component) throw this.#tooLong(text, "a component is too long");
      if (index > start) depth += 1;
      start = index + 1;
    }
    if (depth > this.#limits.depth) throw this.#tooLong(text, `deeper than ${this.#limits.depth} folders`);
  }

  #tooLong(text: string, why: string): TareError {
    return new TareError("E_TAR_LIMIT", `reading tar entry \`${text.slice(0, 100)}…\`: ${why}`);
  }

  #body(bytes: Buffer, at: number): number {
    const used = Math.min(this.#left, bytes.length - at);
    const piece = at === 0 && used === bytes.length ? bytes : bytes.subarray(at, at + used);
    if (this.#segments === undefined) {
      this.#handler.data(piece, this.#position);
      this.#position += used;
    } else this.#sparseBody(piece);
    this.#left -= used;
    if (this.#left === 0) {
      this.#state = this.#padding > 0 ? "padding" : "header";
      this.#handler.end();
    }
    return used;
  }

  #sparseBody(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      const segment = this.#segments?.[this.#segment];
      if (segment === undefined) return;
      const used = Math.min(segment.length - this.#inSegment, piece.length - at);
      this.#handler.data(piece.subarray(at, at + used), segment.offset + this.#inSegment);
      at += used;
      this.#inSegment += used;
      if (this.#inSegment === segment.length) {
        this.#segment += 1;
        this.#inSegment = 0;
      }
    }
  }
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function isZero(bytes: Buffer, at: number): boolean {
  for (let index = at; index < at + BLOCK; index += 1) if (bytes[index] !== 0) return false;
  return true;
}

function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
