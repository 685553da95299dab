// SPDX-License-Identifier: Apache-2.0
/*
 * A wheel that holds no modules but a path to them, as editable installs are made of (PEP 660): installed as any other
 * wheel, it gives a project that lies in the image its metadata, its programs and its place on the path.
 */
import { crc32 } from "node:zlib";
import { normalizeName } from "../requirements/names.ts";
import { formatRecord, recordHash } from "../install/record.ts";

/** What lies where. */
export interface InPlacePackage {
  /** As its author writes it. */
  readonly name: string;
  /** Normalised. */
  readonly version: string;
  /** Files of the .dist-info by name: `METADATA`, `entry_points.txt`. */
  readonly files: Readonly<Record<string, string>>;
  /** Absolute folders in the image, for the path. */
  readonly paths: readonly string[];
}

/** The wheel; equal packages give equal bytes. */
export function inPlaceWheel(about: InPlacePackage): { readonly fileName: string; readonly bytes: Buffer } {
  const name = normalizeName(about.name).replaceAll("-", "_");
  const version = about.version.replaceAll("-", "_");
  const info = `${name}-${version}.dist-info`;
  const files = new Map<string, Buffer>();
  if (about.paths.length > 0) files.set(`__editable__.${name}.pth`, Buffer.from(about.paths.map(line).join("")));
  for (const [file, text] of Object.entries(about.files)) files.set(`${info}/${file}`, Buffer.from(text));
  files.set(`${info}/WHEEL`, Buffer.from(WHEEL));
  const rows = [...files].map(([path, bytes]) => ({ path, hash: recordHash(bytes), size: String(bytes.length) }));
  const record = formatRecord([...rows, { path: `${info}/RECORD`, hash: "", size: "" }]);
  files.set(`${info}/RECORD`, Buffer.from(record));
  return { fileName: `${name}-${version}-py3-none-any.whl`, bytes: storedZip(files) };
}

const WHEEL = "Wheel-Version: 1.0\nGenerator: tare\nRoot-Is-Purelib: true\nTag: py3-none-any\n";

function line(path: string): string {
  return `${path}\n`;
}

/** 1980-01-01 in MS-DOS form. */
const DATE = 0x0021;
const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** Names are UTF-8. */
const UTF8 = 0x0800;

/** A zip of stored entries (APPNOTE.TXT 4.3). */
function storedZip(files: ReadonlyMap<string, Buffer>): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of files) {
    const path = Buffer.from(name);
    const header = common(path, bytes);
    const local = Buffer.concat([word32(LOCAL), header, path, bytes]);
    central.push(Buffer.concat([word32(CENTRAL), word16(0x0314), header, attributes(offset), path]));
    parts.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const count = word16(files.size);
  const end = [word32(END), Buffer.alloc(4), count, count, word32(directory.length), word32(offset), word16(0)];
  return Buffer.concat([...parts, directory, ...end]);
}

/** From "version needed" to "extra field length", which both headers have. */
function common(path: Buffer, bytes: Buffer): Buffer {
  const sizes = [word32(crc32(bytes)), word32(bytes.length), word32(bytes.length), word16(path.length), word16(0)];
  return Buffer.concat([word16(20), word16(UTF8), word16(0), word16(0), word16(DATE), ...sizes]);
}

/** Comment length, disk, internal and external attributes (a plain file, 0644), offset. */
function attributes(offset: number): Buffer {
  return Buffer.concat([Buffer.alloc(6), word32(0o100644 * 0x10000), word32(offset)]);
}

function word16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}

function word32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}
