// SPDX-License-Identifier: Apache-2.0
/*
 * Installed Python distributions (packaging.python.org, recording installed projects): METADATA, RECORD, direct_url.json
 * of `.dist-info`; PKG-INFO of `.egg-info`. Those below Debian's `dist-packages` are parts of its packages, with
 * Debian's fixes and versions, and are told there.
 */
import { posix } from "node:path";
import { normalizeName, parseRecord } from "../../python/index.ts";
import type { RecordRow } from "../../python/index.ts";
import { bundledLibraries } from "./bundled.ts";
import { sortedBy, textOf } from "./files.ts";
import type { FilesByPath } from "./files.ts";
import { licenceOfMetadata } from "./licences.ts";
import type { PythonDistribution } from "./types.ts";

/** A file that a distribution was installed from. */
export interface KnownFile {
  readonly fileName: string;
  /** `sha256:…`. */
  readonly digest: string;
  readonly url?: string;
}

const INFO = /^(.*\/[^/]+\.(?:dist-info|egg-info))\/(?:METADATA|PKG-INFO)$/;
const DEBIAN = /^usr\/lib\/python3(?:\.\d+)?\/dist-packages\//;

/** The distributions, by name and path; `fileOf` knows the files of those that were installed here. */
export function pythonDistributions(
  files: FilesByPath,
  fileOf: (name: string, version: string) => KnownFile | undefined,
): readonly PythonDistribution[] {
  const infos = [...files.keys()].flatMap((path) => INFO.exec(path)?.[1] ?? []);
  const found = [...new Set(infos)].filter((info) => !DEBIAN.test(info)).map((info) => read(files, info, fileOf));
  return sortedBy(
    found.filter((one) => one !== undefined),
    ({ name, path }) => `${name} ${path}`,
  );
}

function read(
  files: FilesByPath,
  info: string,
  fileOf: (name: string, version: string) => KnownFile | undefined,
): PythonDistribution | undefined {
  const headers = headersOf(textOf(files, `${info}/METADATA`) || textOf(files, `${info}/PKG-INFO`));
  const first = (name: string): string => headers(name)[0] ?? "";
  const [name, version] = [normalizeName(first("Name")), first("Version")];
  if (name === "" || version === "") return undefined;
  const rows = parseRecord(textOf(files, `${info}/RECORD`)) ?? [];
  const known = fileOf(name, version);
  const file = known ? ofKnown(known) : ofDirectUrl(textOf(files, `${info}/direct_url.json`));
  const licence = licenceOfMetadata(headers);
  return {
    name,
    version,
    path: `/${info}`,
    summary: first("Summary"),
    author: first("Author") || first("Author-Email") || first("Maintainer") || first("Maintainer-Email"),
    homepage: homepageOf(headers),
    ...(licence === undefined ? {} : { licence }),
    ...(file === undefined ? {} : { file }),
    libraries: bundledLibraries(files, info, absolute(info, rows)),
  };
}

/** Fields of METADATA by name without case; continuation lines of a field belong to it. */
function headersOf(text: string): (name: string) => readonly string[] {
  const fields = new Map<string, string[]>();
  let last: string[] | undefined;
  for (const line of (text.split(/\r?\n\r?\n/, 1)[0] ?? "").split(/\r?\n/)) {
    const [, name, value = ""] = /^([A-Za-z0-9-]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === undefined) {
      if (last && /^\s/.test(line)) last.push(`${last.pop() ?? ""}\n${line.trim()}`);
      continue;
    }
    last = fields.get(name.toLowerCase()) ?? [];
    fields.set(name.toLowerCase(), last);
    last.push(value.trim());
  }
  return (name) => fields.get(name.toLowerCase()) ?? [];
}

function homepageOf(headers: (name: string) => readonly string[]): string {
  const [own = ""] = headers("Home-page");
  if (own !== "" && own !== "UNKNOWN") return own;
  const urls = headers("Project-URL").map((text) => /^([^,]*),\s*(\S+)$/.exec(text));
  const named = (wanted: RegExp): string | undefined => urls.find((url) => wanted.test(url?.[1] ?? ""))?.[2];
  return named(/^home/i) ?? named(/^(?:source|repository|code|github)/i) ?? "";
}

function ofKnown({ fileName, digest, url }: KnownFile): NonNullable<PythonDistribution["file"]> {
  return { name: fileName, sha256: digest.replace(/^sha256:/, ""), ...(url === undefined ? {} : { url }) };
}

/** PEP 610. A login in the URL is left out. */
function ofDirectUrl(text: string): PythonDistribution["file"] {
  try {
    const value = JSON.parse(text) as {
      url?: unknown;
      archive_info?: { hash?: unknown; hashes?: { sha256?: unknown } };
    };
    if (typeof value.url !== "string" || !/^https?:/.test(value.url)) return undefined;
    const url = new URL(value.url);
    url.username = url.password = url.search = "";
    const { hash, hashes } = value.archive_info ?? {};
    const sha256 = hashes?.sha256 ?? (typeof hash === "string" ? /^sha256=(.+)$/.exec(hash)?.[1] : undefined);
    const isHash = typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256);
    return { name: posix.basename(url.pathname), url: url.href, ...(isHash ? { sha256 } : {}) };
  } catch {
    return undefined;
  }
}

function absolute(info: string, rows: readonly RecordRow[]): readonly RecordRow[] {
  const library = posix.dirname(info);
  return rows.map((row) => ({ ...row, path: posix.resolve(`/${library}`, row.path).slice(1) }));
}
