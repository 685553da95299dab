// SPDX-License-Identifier: Apache-2.0
/* Wheels that no honest tool makes, and how each is refused. */
import { deflateRawSync, zstdCompressSync } from "node:zlib";
import { makeWheel, recordHash } from "./wheel-fixture.ts";
import type { FixtureEnd, FixtureEntry, HeaderLies } from "../../src/archive/zip/fixture.ts";
import type { ErrorCode } from "../../src/base/index.ts";
import type { MadeWheel, WheelFixture } from "./wheel-fixture.ts";

/** A wheel and its refusal. */
export interface HostileWheel {
  readonly title: string;
  readonly code: ErrorCode;
  readonly message: RegExp;
  readonly make: () => MadeWheel;
}

const MODULE = "demo/__init__.py";
const TEXT = Buffer.from("value = 1  # some text that deflate makes shorter, shorter, shorter\n".repeat(40));
const PACKED = deflateRawSync(TEXT);
const FULL = 0xffffffff;

type Row = readonly [title: string, code: ErrorCode, message: RegExp, fixture: WheelFixture];

const entry = (name: string | Buffer, more: Partial<FixtureEntry> = {}): WheelFixture => ({
  entries: [{ name, content: "x", ...more }],
});
/** Lies about the only module, whose content is `TEXT`. */
const lies = (more: Partial<FixtureEntry>): WheelFixture => ({ files: { [MODULE]: TEXT }, lies: { [MODULE]: more } });
const told = (central: HeaderLies, local: HeaderLies = central): WheelFixture => lies({ central, local });
const end = (more: FixtureEnd): WheelFixture => ({ end: more });
const record = (change: (text: string) => string): WheelFixture => ({ record: change });

const NAMES: readonly Row[] = [
  ["a way up", "E_ZIP_NAME", /has `\.\.`/, entry("../evil.py")],
  ["a way up inside", "E_ZIP_NAME", /has `\.\.`/, entry("demo/../../evil.py")],
  ["a way up that ends inside", "E_ZIP_NAME", /has `\.\.`/, entry("demo/../evil.py")],
  ["an absolute name", "E_ZIP_NAME", /is absolute/, entry("/etc/cron.d/evil")],
  ["a drive letter", "E_ZIP_NAME", /drive letter/, entry("C:/evil.py")],
  ["a backslash", "E_ZIP_NAME", /backslash/, entry("demo\\..\\evil.py")],
  ["a NUL in a name", "E_ZIP_NAME", /NUL/, entry("demo/evil.py\0.txt")],
  ["a name that is not UTF-8", "E_ZIP_NAME", /not UTF-8/, entry(Buffer.from([0x61, 0xff]))],
  ["a name that is too long", "E_ZIP_NAME", /longer than 255/, entry("x".repeat(256))],
  ["a way up in scripts", "E_ZIP_NAME", /has `\.\.`/, entry("demo-1.0.data/scripts/../../evil")],
  ["a way up in data", "E_ZIP_NAME", /has `\.\.`/, entry("demo-1.0.data/data/../../../etc/passwd")],
  ["two files of one name", "E_ZIP_AMBIGUOUS", /two of this name/, entry(MODULE)],
  ["two names of one path", "E_ZIP_AMBIGUOUS", /two of this name/, entry("demo/./__init__.py")],
  [
    "two names that only Unicode forms tell apart",
    "E_ZIP_AMBIGUOUS",
    /two of this name/,
    { files: { "é.py": "a" }, entries: [{ name: "é.py", content: "b" }] },
  ],
  ["a file where another needs a folder", "E_ZIP_AMBIGUOUS", /others lie below/, entry("demo")],
  ["a file of a deletion's name", "E_WHITEOUT", /\.wh\./, entry("demo/.wh.other")],
  ["an opaque mark", "E_WHITEOUT", /\.wh\./, entry(".wh..wh..opq")],
];

const KINDS: readonly Row[] = [
  ["a symbolic link", "E_ZIP_UNSUPPORTED", /link or a device/, entry("demo/link", { content: "/etc", mode: 0o120777 })],
  ["a device", "E_ZIP_UNSUPPORTED", /link or a device/, entry("demo/null", { mode: 0o020666 })],
  ["a block device", "E_ZIP_UNSUPPORTED", /link or a device/, entry("demo/disk", { mode: 0o060660 })],
  ["a pipe", "E_ZIP_UNSUPPORTED", /link or a device/, entry("demo/pipe", { mode: 0o010644 })],
  ["a socket", "E_ZIP_UNSUPPORTED", /link or a device/, entry("demo/socket", { mode: 0o140644 })],
  ["a folder by its mode only", "E_ZIP_AMBIGUOUS", /directory by its mode/, entry("demo/folder", { mode: 0o040755 })],
  ["a folder with content", "E_ZIP", /directory has content/, entry("demo/folder/")],
];

const CONTENTS: readonly Row[] = [
  ["a lying checksum", "E_ZIP_CONTENT", /checksum is wrong/, told({ crc32: 1 })],
  ["a size that is too small", "E_WHEEL_RECORD", /another size/, told({ size: 5 })],
  ["a size that is too large", "E_WHEEL_RECORD", /another size/, told({ size: 5000 })],
  ["a small size in RECORD too", "E_ZIP_CONTENT", /__init__/, { ...told({ size: 5 }), record: sized(5) }],
  ["a large size in RECORD too", "E_ZIP_CONTENT", /__init__/, { ...told({ size: 9000 }), record: sized(9000) }],
  ["sizes that headers tell otherwise", "E_ZIP_AMBIGUOUS", /different sizes/, told({}, { size: 5 })],
  ["a checksum that headers tell otherwise", "E_ZIP_AMBIGUOUS", /different sizes/, told({}, { crc32: 5 })],
  ["names that headers tell otherwise", "E_ZIP_AMBIGUOUS", /different names/, told({}, { name: Buffer.from("demo/__init__.pX") })],
  ["compressions that headers tell otherwise", "E_ZIP_AMBIGUOUS", /different compressions/, told({}, { method: 0 })],
  ["encryption", "E_ZIP_UNSUPPORTED", /encrypted/, lies({ flags: 1 })],
  ["strong encryption", "E_ZIP_UNSUPPORTED", /encrypted/, lies({ flags: 0x41 })],
  ["hidden encryption", "E_ZIP_AMBIGUOUS", /encrypted/, told({}, { flags: 1 })],
  ["bzip2", "E_ZIP_UNSUPPORTED", /bzip2/, told({ method: 12 })],
  ["lzma", "E_ZIP_UNSUPPORTED", /lzma/, told({ method: 14 })],
  ["deflate64", "E_ZIP_UNSUPPORTED", /deflate64/, told({ method: 9 })],
  ["an unknown compression", "E_ZIP_UNSUPPORTED", /method 77/, told({ method: 77 })],
  ["broken deflate data", "E_ZIP_CONTENT", /__init__/, lies({ raw: Buffer.from([7, 7, 7]) })],
  ["data that ends too early", "E_ZIP_CONTENT", /__init__/, lies({ raw: PACKED.subarray(0, -5) })],
  ["data after the data's end", "E_ZIP_CONTENT", /ends before/, lies({ raw: Buffer.concat([PACKED, PACKED]) })],
  ["two zstd frames", "E_ZIP_CONTENT", /__init__/, lies({ method: 93, raw: Buffer.concat([zstdCompressSync(TEXT), zstdCompressSync("x")]) })],
  ["stored data of two sizes", "E_ZIP", /two sizes differ/, { ...lies({ method: 0, central: { size: 5 } }) }],
  ["a wrong data descriptor", "E_ZIP_AMBIGUOUS", /descriptor is wrong/, lies({ descriptor: "signed", after: Buffer.alloc(4) })],
  ["no data descriptor where one is told", "E_ZIP_AMBIGUOUS", /descriptor/, lies({ flags: 8 })],
]; // prettier-ignore

const PLACES: readonly Row[] = [
  ["bytes before the archive", "E_ZIP", /cut short|missing/, end({ before: Buffer.from("#!/bin/sh\n") })],
  ["bytes after the archive", "E_ZIP_AMBIGUOUS", /bytes after its end/, end({ after: Buffer.alloc(9) })],
  ["bytes before the directory", "E_ZIP_AMBIGUOUS", /hidden bytes/, end({ beforeDirectory: Buffer.alloc(9) })],
  ["bytes after the directory", "E_ZIP_AMBIGUOUS", /hidden bytes/, end({ afterDirectory: Buffer.alloc(9) })],
  ["bytes between entries", "E_ZIP_AMBIGUOUS", /hidden bytes/, lies({ after: Buffer.alloc(9) })],
  ["a whole entry that the directory lacks", "E_ZIP_AMBIGUOUS", /hidden bytes/, lies({ after: hiddenEntry() })],
  ["overlapping entries", "E_ZIP_AMBIGUOUS", /overlaps/, lies({ central: { compressedSize: PACKED.length + 9 } })],
  [
    "two entries with one content",
    "E_ZIP_AMBIGUOUS",
    /overlaps/,
    { ...lies({}), entries: [{ name: "demo/twin.py", content: TEXT, isOnlyCentral: true, central: { offset: 0 } }] },
  ],
  ["an end record in the comment", "E_ZIP_AMBIGUOUS", /two end records|not where|hidden/, end({ comment: emptyZip() })],
  ["a count that is too small", "E_ZIP_AMBIGUOUS", /more than its entries/, end({ count: 1 })],
  ["a count that is too large", "E_ZIP", /has no entry/, end({ count: 99 })],
  ["a directory beyond the end", "E_ZIP", /not where it should be/, end({ offset: 1e6 })],
  ["a huge directory", "E_ZIP", /./, end({ size: 4e9 })],
  ["several disks", "E_ZIP_UNSUPPORTED", /several/, end({ disk: 1 })],
  ["zip64 that disagrees", "E_ZIP_AMBIGUOUS", /disagree/, end({ zip64: { count: 99 } })],
  ["a missing zip64 size", "E_ZIP", /zip64 size is missing/, told({ size: FULL }, {})],
];

const BOMBS: readonly Row[] = [
  ["a huge file of few bytes", "E_BOMB", /become 1000000000/, { ...told({ size: 1e9 }), record: sized(1e9) }],
  ["too many entries", "E_ZIP_LIMIT", /more than 100000 entries/, end({ count: 0xffff, zip64: { count: 100_001 } })],
  ["huge files in all", "E_BOMB", /become 3960003332/, manyLargeFiles()],
];

const DESCRIPTIONS: readonly Row[] = [
  ["WHEEL 2.0", "E_WHEEL", /version `2\.0`/, { wheel: "Wheel-Version: 2.0\n" }],
  ["no WHEEL", "E_WHEEL", /no WHEEL/, { wheel: null }],
  ["no METADATA", "E_WHEEL", /no METADATA/, { metadata: null }],
  ["METADATA without a name", "E_WHEEL", /no valid name/, { metadata: "Version: 1.0\n" }],
  ["METADATA of another distribution", "E_WHEEL", /METADATA is that of/, { metadata: "Name: evil\nVersion: 1.0\n" }],
  ["the .dist-info of another distribution", "E_WHEEL", /is that of another/, { distInfo: "evil-1.0.dist-info" }],
  ["two .dist-info folders", "E_WHEEL", /several \.dist-info/, entry("evil-1.0.dist-info/METADATA")],
  ["no RECORD", "E_WHEEL", /no RECORD/, { record: null }],
  ["a file that RECORD lacks", "E_WHEEL_RECORD", /`demo\/evil\.py` is not in it/, { ...entry("demo/evil.py"), unrecorded: true }],
  ["a file that only RECORD has", "E_WHEEL_RECORD", /not in the archive/, record((text) => `${text}demo/x.py,,\n`)],
  ["RECORD that names files outside", "E_WHEEL_RECORD", /not in the archive/, record((text) => `${text}../../../etc/passwd,,\n`)],
  ["RECORD with a wrong hash", "E_WHEEL_RECORD", /has another hash/, record((text) => text.replace(/(__init__\.py),[^,]*/, `$1,${recordHash(Buffer.from("other"))}`))],
  ["RECORD with a wrong size", "E_WHEEL_RECORD", /has another size/, record((text) => text.replace(/(__init__\.py,[^,]*),\d+/, "$1,1"))],
  ["RECORD with two rows for a file", "E_WHEEL_RECORD", /in it twice/, record((text) => `${text}demo/__init__.py,sha256=x,1\n`)],
  ["RECORD that is no table", "E_WHEEL_RECORD", /three fields/, record(() => "x\n")],
  ["an unknown kind of data", "E_WHEEL", /no kind that can be installed/, entry("demo-1.0.data/unknown/x")],
  ["data of no kind", "E_WHEEL", /no kind that can be installed/, entry("demo-1.0.data/x")],
  ["a file that is a folder elsewhere", "E_WHEEL", /a file and a folder/, entry("demo-1.0.data/purelib/demo/__init__.py/x")],
  ["a path as entry point", "E_WHEEL", /makes no program/, { entryPoints: "[console_scripts]\n../../../../etc/cron.d/x = demo:main\n" }],
  ["a line end in an entry point", "E_WHEEL", /makes no program/, { entryPoints: "[console_scripts]\na\rb = demo:main\n" }],
  ["code for a module", "E_WHEEL", /makes no program/, { entryPoints: "[console_scripts]\na = os;import evil:main\n" }],
  ["code for a callable", "E_WHEEL", /makes no program/, { entryPoints: "[console_scripts]\na = os:system('x')\n" }],
]; // prettier-ignore

/** All of them. */
export const HOSTILE_WHEELS: readonly HostileWheel[] = [
  ...[...NAMES, ...KINDS, ...CONTENTS, ...PLACES, ...BOMBS, ...DESCRIPTIONS].map(
    ([title, code, message, fixture]): HostileWheel => ({ title, code, message, make: () => makeWheel(fixture) }),
  ),
  { title: "an empty file", code: "E_ZIP", message: /no end record/, make: () => changed(() => Buffer.alloc(0)) },
  {
    title: "a page of text",
    code: "E_ZIP",
    message: /no end record/,
    make: () => changed(() => Buffer.from("<html>")),
  },
  { title: "a cut wheel", code: "E_ZIP", message: /no end record/, make: () => changed((all) => all.subarray(0, 200)) },
  {
    title: "a wheel that lost its start",
    code: "E_ZIP",
    message: /not where it should be|hidden/,
    make: () => changed((all) => all.subarray(9)),
  },
];

function changed(change: (bytes: Buffer) => Buffer): MadeWheel {
  const { fileName, bytes } = makeWheel();
  return { fileName, bytes: change(bytes) };
}

function sized(size: number): (text: string) => string {
  return (text) => text.replace(/(__init__\.py,[^,]*),\d+/, `$1,${size}`);
}

function hiddenEntry(): Buffer {
  const { bytes } = makeWheel({ files: { "hidden.py": "x" }, metadata: null, wheel: null, record: null });
  return bytes.subarray(0, bytes.indexOf("PK\u0001\u0002"));
}

function emptyZip(): Buffer {
  return Buffer.from([0x50, 0x4b, 5, 6, ...Buffer.alloc(18)]);
}

/** Each file alone would pass: zeros that deflate makes a thousand times smaller. */
function manyLargeFiles(): WheelFixture {
  const raw = deflateRawSync(Buffer.alloc(99e6), { level: 9 });
  const header = { size: 99e6, crc32: 0 };
  const names = Array.from({ length: 40 }, (_, index) => `demo/zeros${index}`);
  return {
    entries: names.map((name) => ({ name, raw, central: header, local: header })),
    record: (text) => text.replaceAll(/(zeros\d+,[^,]*),0/g, "$1,99000000"),
  };
}
