// SPDX-License-Identifier: Apache-2.0
/*
 * PAX extended headers: records `LENGTH KEY=VALUE\n`, LENGTH counting the whole record in bytes. Values are bytes:
 * file capabilities and names need not be UTF-8.
 */
import { TareError } from "../base/index.ts";
import { checkId } from "./tar-header.ts";

/** One stored piece of a sparse file's content. */
export interface Segment {
  readonly offset: number;
  readonly length: number;
}

/** What the PAX records before an entry say about it. */
export interface PaxFacts {
  path?: Buffer;
  linkPath?: Buffer;
  size?: number;
  uid?: number;
  gid?: number;
  mtime?: { readonly seconds: number; readonly nanoseconds: number };
  xattrs?: Map<string, Uint8Array>;
  sparse?: PaxSparse;
}

/** The GNU sparse records: format 0.0 lists offsets and lengths, 0.1 a map, 1.0 puts the map into the body. */
export interface PaxSparse {
  mapInBody?: boolean;
  realSize?: number;
  name?: Buffer;
  readonly numbers: number[];
}

/** Parses records into `facts` (later records win). Throws `E_TAR_PAX`. `isGlobal`: for all following entries. */
export function parsePax(data: Buffer, facts: PaxFacts, isGlobal: boolean): void {
  let at = 0;
  while (at < data.length) {
    // GNU tar and others pad with NULs.
    if (data[at] === 0) return;
    const space = data.indexOf(32, at);
    if (space < 0 || space - at > 10) throw paxError("a record has no length");
    const length = decimal(data.subarray(at, space), "record length");
    const end = at + length;
    if (end > data.length || end <= space + 1 || data[end - 1] !== 10) throw paxError("a record's length is wrong");
    const equals = data.indexOf(61, space + 1);
    if (equals <= space + 1 || equals >= end) throw paxError("a record has no key");
    applyRecord(facts, data.toString("latin1", space + 1, equals), data.subarray(equals + 1, end - 1), isGlobal);
    at = end;
  }
}

const GLOBAL_REFUSED = new Set(["path", "linkpath", "size"]);

/** A global path or size would be applied by some readers and not by others: two views of one archive. */
function applyRecord(facts: PaxFacts, key: string, value: Buffer, isGlobal: boolean): void {
  if (isGlobal && (GLOBAL_REFUSED.has(key) || key.startsWith("GNU.sparse."))) {
    throw paxError(`the global header sets \`${key}\``);
  }
  if (key.startsWith("SCHILY.xattr.")) addXattr(facts, key.slice(13), Buffer.from(value));
  else if (key.startsWith("LIBARCHIVE.xattr.")) addLibarchiveXattr(facts, key.slice(17), value);
  else if (key.startsWith("GNU.sparse.")) applySparse((facts.sparse ??= { numbers: [] }), key.slice(11), value);
  else KEYS.get(key)?.(facts, value);
}

const KEYS: ReadonlyMap<string, (facts: PaxFacts, value: Buffer) => void> = new Map([
  ["path", (facts, value) => void (value.length > 0 && (facts.path = nameValue(value)))],
  ["linkpath", (facts, value) => void (value.length > 0 && (facts.linkPath = nameValue(value)))],
  ["size", (facts, value) => void (value.length > 0 && (facts.size = decimal(value, "size")))],
  ["uid", (facts, value) => void (value.length > 0 && (facts.uid = checkId(decimal(value, "uid"), "uid")))],
  ["gid", (facts, value) => void (value.length > 0 && (facts.gid = checkId(decimal(value, "gid"), "gid")))],
  ["mtime", (facts, value) => void (value.length > 0 && (facts.mtime = timeValue(value)))],
]);

function applySparse(sparse: PaxSparse, key: string, value: Buffer): void {
  if (key === "major") sparse.mapInBody = decimal(value, "sparse version") >= 1;
  else if (key === "name") sparse.name = nameValue(value);
  else if (key === "realsize" || key === "size") sparse.realSize = decimal(value, "sparse size");
  else if (key === "offset" || key === "numbytes") sparse.numbers.push(decimal(value, key));
  else if (key === "map") {
    sparse.numbers.length = 0;
    if (value.length === 0) return;
    for (const part of value.toString("latin1").split(",")) sparse.numbers.push(decimal(Buffer.from(part), "map"));
  }
}

function addXattr(facts: PaxFacts, name: string, value: Uint8Array): void {
  if (name === "" || name.includes("\0") || name.length > 255) throw paxError("an attribute's name is malformed");
  (facts.xattrs ??= new Map()).set(name, value);
}

/** libarchive writes the name URL-encoded and the value in base64. */
function addLibarchiveXattr(facts: PaxFacts, name: string, value: Buffer): void {
  const plain = name.replace(/%([0-9A-Fa-f]{2})/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  if (!facts.xattrs?.has(plain)) addXattr(facts, plain, Buffer.from(value.toString("latin1"), "base64"));
}

function nameValue(value: Buffer): Buffer {
  if (value.includes(0)) throw paxError("a path contains a NUL byte");
  return value;
}

/** A decimal number without sign. Throws `E_TAR_PAX`. */
export function decimal(value: Buffer, field: string): number {
  const text = value.length <= 16 ? value.toString("latin1") : "";
  const result = /^[0-9]+$/.test(text) ? Number(text) : -1;
  if (!Number.isSafeInteger(result) || result < 0) throw paxError(`the field ${field} is not a number`);
  return result;
}

function timeValue(value: Buffer): { seconds: number; nanoseconds: number } {
  const parts = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(value.length <= 64 ? value.toString("latin1") : "");
  if (parts === null) throw paxError("the field mtime is not a time");
  const seconds = Number(parts[2]);
  const nanoseconds = Number((parts[3] ?? "").slice(0, 9).padEnd(9, "0"));
  if (parts[1] === "") return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: 0 - seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

/** Pairs of numbers as segments; they must be in order and inside the file. Throws `E_TAR_PAX`. */
export function toSegments(numbers: readonly number[], size: number): Segment[] {
  if (numbers.length % 2 !== 0) throw paxError("the sparse map has an odd number of fields");
  const segments: Segment[] = [];
  let last = 0;
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset = 0, length = 0] = [numbers[index], numbers[index + 1]];
    if (offset < last || offset + length > size) throw paxError("the sparse map is out of order or beyond the file");
    if (length > 0) segments.push({ offset, length });
    last = offset + length;
  }
  return segments;
}

/** The error for malformed PAX data. */
export function paxError(why: string): TareError {
  return new TareError("E_TAR_PAX", `reading a PAX header: ${why}`);
}

/** One record; `key` is a byte string. The length counts its own digits. */
export function paxRecord(key: string, value: Uint8Array): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  const head = Buffer.from(`${length} ${key}=`, "latin1");
  return Buffer.concat([head, value, Buffer.from("\n")], length);
}
