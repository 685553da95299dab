// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import { isName, normalizeName } from "../requirements/names.ts";
import { compareVersions } from "../requirements/versions.ts";
import { parseRecord } from "./record.ts";
import { parseScripts } from "./scripts.ts";
import type { ZipEntry, ZipFile } from "../../archive/index.ts";
import type { RecordRow } from "./record.ts";
import type { ScriptEntry } from "./scripts.ts";

/** What a wheel says of itself, checked. */
export interface WheelFacts {
  readonly fileName: string;
  /** As in METADATA. */
  readonly name: string;
  readonly version: string;
  /** `demo-1.0.dist-info`. */
  readonly distInfo: string;
  /** `demo-1.0.data`. */
  readonly dataFolder: string;
  /** `Root-Is-Purelib`. */
  readonly isPure: boolean;
  readonly scripts: readonly ScriptEntry[];
  /** RECORD by path, without the files that it can't hash. */
  readonly record: ReadonlyMap<string, RecordRow>;
}

/** Files of more bytes are no description of a wheel: they only fill memory. RECORD of 100,000 files has about 12 MB. */
const LARGEST_TEXT = 32 << 20;
/** Files that RECORD need not name: itself and its signatures. */
const UNRECORDED = /\.dist-info\/RECORD(?:\.jws|\.p7s)?$/;

/**
 * Reads a wheel's own description (binary distribution format 1.x). Throws `E_WHEEL` for what is no wheel or not the
 * one its name says, `E_WHEEL_RECORD` when RECORD and the archive's directory do not agree.
 */
export function readWheelFacts(zip: ZipFile, fileName: string): WheelFacts {
  const bad = (why: string): TareError => wheelError(fileName, why);
  const [, namePart = "", versionPart = ""] =
    /^([^-/]+)-([^-/]+)-(?:[^-/]+-)?[^-/]+-[^-/]+-[^-/]+\.whl$/.exec(fileName) ?? [];
  if (namePart === "") throw bad("its name is not that of a wheel");
  const distInfo = distInfoOf(zip, { namePart, versionPart }, bad);
  const text = (name: string): string | undefined => {
    const entry = zip.find(`${distInfo}/${name}`);
    return entry && zip.readEntry(entry, LARGEST_TEXT).toString("utf8");
  };
  const wheel = headersOf(text("WHEEL") ?? fail(bad("it has no WHEEL file")));
  const format = wheel.get("wheel-version") ?? "";
  if (!/^1\.\d+$/.test(format)) throw bad(`its format has the version \`${format.slice(0, 20)}\`, this knows 1.x`);
  const metadata = headersOf(text("METADATA") ?? fail(bad("it has no METADATA file")));
  const name = metadata.get("name") ?? "";
  const version = metadata.get("version") ?? "";
  if (!isName(name)) throw bad("its METADATA has no valid name");
  if (normalizeName(name) !== normalizeName(namePart) || !sameVersion(version, versionPart)) {
    throw bad(`its METADATA is that of ${name.slice(0, 60)} ${version.slice(0, 40)}`);
  }
  const rows = parseRecord(text("RECORD") ?? fail(bad("it has no RECORD")));
  if (rows === undefined) throw recordError(fileName, "a line has not three fields");
  return {
    fileName,
    name,
    version,
    distInfo,
    dataFolder: distInfo.replace(/\.dist-info$/, ".data"),
    isPure: /^true$/i.test(wheel.get("root-is-purelib") ?? ""),
    scripts: parseScripts(text("entry_points.txt") ?? "", fileName),
    record: checkRecord(zip.entries, rows, fileName),
  };
}

function distInfoOf(
  zip: ZipFile,
  { namePart, versionPart }: { readonly namePart: string; readonly versionPart: string },
  bad: (why: string) => TareError,
): string {
  const folders = new Set<string>();
  for (const { name } of zip.entries) {
    const [, folder] = /^([^/]+\.dist-info)\//.exec(name) ?? [];
    if (folder !== undefined) folders.add(folder);
  }
  const [folder, other] = folders;
  if (folder === undefined) throw bad("it has no .dist-info folder");
  if (other !== undefined) throw bad(`it has several .dist-info folders: ${folder}, ${other}`);
  const [, name = "", version = ""] = /^(.+)-([^-]+)\.dist-info$/.exec(folder) ?? [];
  if (normalizeName(name) !== normalizeName(namePart) || !sameVersion(version, versionPart)) {
    throw bad(`its folder ${folder} is that of another distribution`);
  }
  return folder;
}

function sameVersion(a: string, b: string): boolean {
  const plain = (text: string): string => text.replaceAll("_", "-");
  if (plain(a) === plain(b)) return true;
  try {
    return (
      compareVersions(a.replaceAll("_", "+"), b.replaceAll("_", "+")) === 0 || compareVersions(plain(a), plain(b)) === 0
    );
  } catch {
    return false;
  }
}

/** The first value of each header; names in lower case. What follows the first empty line is the description. */
function headersOf(text: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line === "") break;
    const [, name, value] = /^([A-Za-z0-9-]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !headers.has(name.toLowerCase()))
      headers.set(name.toLowerCase(), value);
  }
  return headers;
}

function checkRecord(
  entries: readonly ZipEntry[],
  rows: readonly RecordRow[],
  fileName: string,
): ReadonlyMap<string, RecordRow> {
  const record = new Map<string, RecordRow>();
  for (const row of rows) {
    const { hash, size } = record.get(row.path) ?? row;
    if (hash !== row.hash || size !== row.size) throw recordError(fileName, `\`${row.path}\` is in it twice`);
    record.set(row.path, row);
  }
  const files = new Set<string>();
  for (const { name, size, isDirectory } of entries) {
    if (isDirectory) continue;
    files.add(name);
    if (UNRECORDED.test(name)) continue;
    const row = record.get(name);
    if (!row) throw recordError(fileName, `\`${name}\` is not in it`);
    if (!/^sha(?:256|384|512)=/.test(row.hash)) throw recordError(fileName, `\`${name}\` has no usable hash`);
    if (row.size !== "" && row.size !== String(size)) throw recordError(fileName, `\`${name}\` has another size`);
  }
  for (const path of record.keys()) {
    if (!files.has(path)) throw recordError(fileName, `\`${path}\` is not in the archive`);
  }
  return record;
}

function fail(error: TareError): never {
  throw error;
}

/** Text of a wheel for a message: no control characters, which would reach the terminal. */
function plain(text: string): string {
  return text.replace(/\p{C}/gu, "?").slice(0, 500);
}

/** A wheel that is not what it should be. */
export function wheelError(fileName: string, why: string): TareError {
  return new TareError("E_WHEEL", plain(`installing \`${fileName}\`: ${why}`), {
    hint: "the wheel is broken or forged: choose another version, or tell its authors; nothing was installed",
  });
}

/** A wheel whose files are not those that it lists. */
export function recordError(fileName: string, why: string): TareError {
  return new TareError(
    "E_WHEEL_RECORD",
    plain(`installing \`${fileName}\`: it does not agree with its RECORD: ${why}`),
    {
      hint: "the wheel was changed after it was built: choose another version, or tell its authors; nothing was installed",
    },
  );
}
