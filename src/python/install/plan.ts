// SPDX-License-Identifier: Apache-2.0
/*
 * Where each file of a wheel goes: "Installing a wheel" of the binary distribution format, with pip's choices where it
 * leaves one. The plan depends on the wheel and the options alone, so it can be made again when the layer is pushed.
 */
import { posix } from "node:path";
import { normalizeName } from "../requirements/names.ts";
import { formatRecord, recordHash } from "./record.ts";
import { entryPointScript, withInterpreter } from "./scripts.ts";
import { readWheelFacts, wheelError } from "./wheel-facts.ts";
import type { ZipEntry, ZipFile } from "../../archive/index.ts";
import type { DirectUrl, InstallScheme } from "../types.ts";
import type { RecordRow } from "./record.ts";
import type { WheelFacts } from "./wheel-facts.ts";

/** What decides an installation besides the wheel. */
export interface InstallOptions {
  readonly scheme: InstallScheme;
  /** For the first line of scripts. */
  readonly executable: string;
  /** `3.11.2`; pip's own programs carry it in their names. */
  readonly python: string;
  readonly isRequested: boolean;
  readonly direct?: DirectUrl;
  /** Paths in the image (no leading slash) that are left out. */
  readonly leavesOut?: (path: string) => boolean;
  /** Whose choices are taken where the specification leaves some; pip's by default. */
  readonly installer?: "uv";
}

/** A file to write. Either `entry` as it is in the wheel, or `bytes`. */
export interface PlannedFile {
  /** In the image, without leading slash. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  readonly entry?: ZipEntry;
  /** RECORD's hash of the entry; verified when it is written. */
  readonly hash?: string;
  readonly bytes?: Buffer;
}

/** What installing a wheel writes. */
export interface InstallPlan {
  readonly facts: WheelFacts;
  readonly files: readonly PlannedFile[];
  /** The .dist-info folder in the image, without leading slash. */
  readonly distInfo: string;
}

/** Larger scripts are programs of another kind, which have no `#!python`. */
const LARGEST_SCRIPT = 1 << 20;
const OWN_FILES = /^(?:RECORD(?:\.jws|\.p7s)?|INSTALLER|REQUESTED|direct_url\.json)$/;

/** Plans the installation of an open wheel. Throws `E_WHEEL`, `E_WHEEL_RECORD`. */
export function planInstall(zip: ZipFile, fileName: string, options: InstallOptions): InstallPlan {
  const facts = readWheelFacts(zip, fileName);
  const library = imagePath(facts.isPure ? options.scheme.purelib : options.scheme.platlib);
  const distInfo = `${library}/${facts.distInfo}`;
  const files: PlannedFile[] = [];
  for (const entry of zip.entries.toSorted((a, b) => turnOf(a, facts) - turnOf(b, facts))) {
    const file = entry.isDirectory ? undefined : planEntry(zip, entry, { facts, options, library });
    if (file) files.push(file);
  }
  files.push(...entryPoints(facts, options), ...ownFiles(facts, distInfo, options));
  const kept = lastOfEachPath(files, { path: `${distInfo}/RECORD`, facts }).filter(
    ({ path }) => options.leavesOut?.(path) !== true,
  );
  const record = recordOf(kept, { facts, library, distInfo });
  const all: readonly PlannedFile[] = [...kept, { path: `${distInfo}/RECORD`, mode: 0o644, bytes: record }];
  return { facts, distInfo, files: all.map((file) => ({ ...file, path: followed(file.path, options.scheme) })) };
}

/** A layer has no link that the image has: what is put below one goes where it leads. RECORD has the path as written. */
function followed(path: string, { links = {} }: InstallScheme): string {
  for (const [link, target] of Object.entries(links)) {
    if (path.startsWith(`${link.slice(1)}/`)) return `${target.slice(1)}${path.slice(link.length - 1)}`;
  }
  return path;
}

/** pip's order, which decides where two files of a wheel have one path: the root, `.data`, and its scripts. */
function turnOf({ name }: ZipEntry, { dataFolder }: WheelFacts): number {
  if (!name.startsWith(`${dataFolder}/`)) return 0;
  return name.startsWith(`${dataFolder}/scripts/`) ? 2 : 1;
}

/** One file for each path, the last one as with pip; RECORD is ours. Throws `E_WHEEL` for a file below a file. */
function lastOfEachPath(
  files: readonly PlannedFile[],
  record: { readonly path: string; readonly facts: WheelFacts },
): readonly PlannedFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  byPath.delete(record.path);
  const checked = new Set<string>();
  for (const path of [...byPath.keys(), record.path]) {
    for (let parent = posix.dirname(path); parent !== "." && !checked.has(parent); parent = posix.dirname(parent)) {
      if (byPath.has(parent)) throw wheelError(record.facts.fileName, `\`/${parent}\` would be a file and a folder`);
      checked.add(parent);
    }
  }
  return [...byPath.values()];
}

interface Place {
  readonly facts: WheelFacts;
  readonly options: InstallOptions;
  readonly library: string;
}

function planEntry(zip: ZipFile, entry: ZipEntry, place: Place): PlannedFile | undefined {
  const { facts } = place;
  const { name } = entry;
  const isExecutable = ((entry.mode ?? 0) & 0o111) !== 0;
  const mode = isExecutable ? 0o755 : 0o644;
  const hash = facts.record.get(name)?.hash;
  const known = hash === undefined ? {} : { hash };
  if (name.startsWith(`${facts.distInfo}/`)) {
    if (OWN_FILES.test(name.slice(facts.distInfo.length + 1))) return undefined;
  } else if (name.startsWith(`${facts.dataFolder}/`)) return planData(zip, entry, { ...place, mode, known });
  return { path: `${place.library}/${name}`, mode, entry, ...known };
}

/** A file of `.data/`: the folder's name says where it goes. */
function planData(
  zip: ZipFile,
  entry: ZipEntry,
  place: Place & { readonly mode: 0o644 | 0o755; readonly known: { readonly hash?: string } },
): PlannedFile | undefined {
  const { facts, options, mode, known } = place;
  const { scheme } = options;
  const rest = entry.name.slice(facts.dataFolder.length + 1);
  const slash = rest.indexOf("/");
  const key = rest.slice(0, slash);
  const relative = rest.slice(slash + 1);
  if (slash < 0) throw wheelError(facts.fileName, `\`${entry.name}\` is of no kind that can be installed`);
  switch (key) {
    case "purelib":
    case "platlib":
    case "data":
      return { path: `${imagePath(scheme[key])}/${relative}`, mode, entry, ...known };
    case "headers": {
      const folder = options.installer === "uv" ? normalizeName(facts.name) : facts.name;
      return { path: `${imagePath(scheme.headers)}/${folder}/${relative}`, mode, entry, ...known };
    }
    case "scripts":
      return planScript(zip, entry, { facts, options, path: `${imagePath(scheme.scripts)}/${relative}`, mode, known });
    default:
      throw wheelError(facts.fileName, `\`${entry.name}\` is of no kind that can be installed`);
  }
}

/** A script keeps its mode: pip makes none executable that the wheel does not, uv makes all. */
function planScript(
  zip: ZipFile,
  entry: ZipEntry,
  place: {
    readonly facts: WheelFacts;
    readonly options: InstallOptions;
    readonly path: string;
    readonly mode: 0o644 | 0o755;
    readonly known: { readonly hash?: string };
  },
): PlannedFile | undefined {
  const { facts, options, path, known } = place;
  const mode = options.installer === "uv" ? 0o755 : place.mode;
  if (facts.scripts.some(({ name }) => name === wrapped(posix.basename(path)))) return undefined;
  const plain: PlannedFile = { path, mode, entry, ...known };
  if (entry.size > LARGEST_SCRIPT) return plain;
  const content = zip.readEntry(entry);
  const bytes = withInterpreter(content, options.executable);
  return bytes === content ? plain : { path, mode, bytes };
}

/** The entry point that an old setuptools wrapped in a script of its own. */
function wrapped(name: string): string {
  return name.replace(/\.exe$|-script\.py$|\.pya$/, "");
}

function entryPoints(facts: WheelFacts, options: InstallOptions): readonly PlannedFile[] {
  const folder = imagePath(options.scheme.scripts);
  const [pip] = facts.scripts.filter(({ name }) => name === "pip");
  const isPip = pip !== undefined && normalizeName(facts.name) === "pip";
  const [major, minor] = options.python.split(".");
  const versioned = isPip ? [{ ...pip, name: `pip${major}.${minor}` }] : [];
  const scripts = [...facts.scripts.filter(({ name }) => !isPip || !/^pip3?\.\d/.test(name)), ...versioned];
  return scripts.map((entry) => ({
    path: `${folder}/${entry.name}`,
    mode: 0o755,
    bytes: entryPointScript(entry, options.executable, options.installer),
  }));
}

/** What an installer adds to .dist-info. */
function ownFiles(_facts: WheelFacts, distInfo: string, options: InstallOptions): readonly PlannedFile[] {
  const file = (name: string, text: string): PlannedFile => ({
    path: `${distInfo}/${name}`,
    mode: 0o644,
    bytes: Buffer.from(text),
  });
  return [
    file("INSTALLER", options.installer ?? "tare\n"),
    ...(options.isRequested ? [file("REQUESTED", "")] : []),
    ...(options.direct === undefined ? [] : [file("direct_url.json", pythonJson(options.direct))]),
  ];
}

/** As `json.dumps(value, sort_keys=True)` of Python, with which pip writes. */
function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => pythonJson(item)).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const pairs = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${pairs.map(([key, item]) => `${pythonJson(key)}: ${pythonJson(item)}`).join(", ")}}`;
  }
  const text = JSON.stringify(value);
  return text.replaceAll(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** RECORD of what is installed: paths relative to the library folder (recording installed projects). */
function recordOf(
  files: readonly PlannedFile[],
  place: { readonly facts: WheelFacts; readonly library: string; readonly distInfo: string },
): Buffer {
  const { facts, library, distInfo } = place;
  const relative = (path: string): string =>
    path.startsWith(`${library}/`) ? path.slice(library.length + 1) : posix.relative(`/${library}`, `/${path}`);
  const rows = files.map(({ path, bytes, entry }): RecordRow => {
    if (bytes) return { path: relative(path), hash: recordHash(bytes), size: String(bytes.length) };
    const row = entry && facts.record.get(entry.name);
    return { path: relative(path), hash: row?.hash ?? "", size: String(entry?.size ?? "") };
  });
  return Buffer.from(formatRecord([...rows, { path: relative(`${distInfo}/RECORD`), hash: "", size: "" }]));
}

/** A scheme's folder as a path inside the image. */
function imagePath(folder: string): string {
  return posix.normalize(folder).replace(/^\/+|\/+$/g, "");
}
