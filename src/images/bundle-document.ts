// SPDX-License-Identifier: Apache-2.0
/*
 * `tare-bundle.json`, the file that makes an archive of images a bundle. Everything it names lies in `blobs/sha256/`:
 *
 *   wheels        distributions that the images' layers are made of: verified by their digests
 *   files         locks and project files, by a plain name
 *   claims        what only the maker of the bundle knows to be true: which layers a build step gives, how requirements
 *                 are resolved, what a wheel was built from, its compiled modules, what a layer is made of. Nobody can
 *                 verify these without the work that they save: they are left alone unless asked
 */
import { TareError, canonicalJson, isDigest, messageOf } from "../base/index.ts";
import { parseJson } from "../oci/index.ts";
import { parseWheelLayer } from "../python/index.ts";
import type { Digest } from "../base/index.ts";
import type { BuiltWheel, KeyedPack } from "../python/index.ts";
import type { BundledLayer } from "./bundle-layers.ts";

/** Name of the document in the archive. */
export const BUNDLE_FILE = "tare-bundle.json";

/** A blob of the bundle. */
interface BundledBlob {
  readonly digest: Digest;
  readonly size: number;
}

/** A wheel or sdist. */
export interface BundledWheel extends BundledBlob {
  readonly fileName: string;
  /** Where it can be had again. */
  readonly url?: string;
}

/** A lock or project file. */
export interface BundledFile extends BundledBlob {
  readonly name: string;
}

/** The layers that a build step gave. */
export interface BundledStep {
  readonly key: Digest;
  readonly layers: readonly Digest[];
}

/** How requirements were resolved: a lock. */
export interface BundledAnswer extends BundledBlob {
  readonly key: Digest;
}

/** What a bundle has besides images. */
export interface BundleDocument {
  readonly wheels: readonly BundledWheel[];
  readonly files: readonly BundledFile[];
  readonly claims: {
    readonly steps: readonly BundledStep[];
    readonly resolutions: readonly BundledAnswer[];
    readonly built: readonly BuiltWheel[];
    /** Compiled modules by key. */
    readonly packs: readonly KeyedPack[];
    /** What layers of wheels are made of. */
    readonly layers: readonly BundledLayer[];
  };
}

const VERSION = 1;
/** No folder, no option, no dot file. */
const WHEEL_NAME = /^[A-Za-z0-9][\w.+!-]{0,250}\.(?:whl|tar\.gz|zip)$/;
const PLAIN_NAME = /^[A-Za-z0-9_][\w.+@-]{0,120}$/;
const MOST = 100_000;
/** Locks and project files are read whole, and together. */
const MOST_FILE_BYTES = 64 << 20;

/** The document's text; equal bundles have equal texts. */
export function formatBundle(bundle: BundleDocument): string {
  return `${canonicalJson({ bundleVersion: VERSION, ...bundle })}\n`;
}

/** True for a name that a file may have in a bundle, and where it is unpacked. */
export function isBundledName(name: string): boolean {
  return PLAIN_NAME.test(name);
}

/** Parses the document of a bundle from outside. Throws `E_BUNDLE`. */
export function parseBundle(text: string): BundleDocument {
  const root = membersOf(readJson(text), "");
  const version = root["bundleVersion"];
  if (version !== VERSION) throw malformed("bundleVersion", `\`${String(version).slice(0, 20)}\` is not known here`);
  const claims = membersOf(root["claims"], "claims");
  const bundle: BundleDocument = {
    wheels: list(root["wheels"], "wheels", wheelOf),
    files: list(root["files"], "files", fileOf),
    claims: {
      steps: list(claims["steps"], "claims.steps", stepOf),
      resolutions: list(claims["resolutions"], "claims.resolutions", answerOf),
      built: list(claims["built"], "claims.built", builtOf),
      // Bundles of older versions are without them.
      packs: list(claims["packs"] ?? [], "claims.packs", answerOf),
      layers: list(claims["layers"] ?? [], "claims.layers", layerOf),
    },
  };
  requireDistinct(bundle);
  const bytes = bundle.files.reduce((sum, { size }) => sum + size, 0);
  if (bytes > MOST_FILE_BYTES) throw malformed("files", `they are larger than ${MOST_FILE_BYTES} bytes together`);
  return bundle;
}

function readJson(text: string): unknown {
  try {
    return parseJson(text, BUNDLE_FILE);
  } catch (error) {
    throw new TareError("E_BUNDLE", messageOf(error), { cause: error });
  }
}

/** An error at a place of the document. */
function malformed(at: string, why: string): TareError {
  return new TareError("E_BUNDLE", `reading ${BUNDLE_FILE}: ${at === "" ? "" : `${at}: `}${why}`, {
    hint: "the bundle is damaged or forged, or of a newer Tare; nothing of it was taken",
  });
}

type Members = Readonly<Record<string, unknown>>;

function membersOf(value: unknown, at: string): Members {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw malformed(at, "expected an object");
}

function list<T>(value: unknown, at: string, read: (members: Members, at: string) => T): readonly T[] {
  if (!Array.isArray(value)) throw malformed(at, "expected an array");
  if (value.length > MOST) throw malformed(at, `more than ${MOST} entries`);
  return value.map((entry: unknown, index) => read(membersOf(entry, `${at}[${index}]`), `${at}[${index}]`));
}

function textOf(members: Members, name: string, at: string, test: (text: string) => boolean): string {
  const value = members[name];
  if (typeof value === "string" && test(value)) return value;
  throw malformed(`${at}.${name}`, `\`${String(value).slice(0, 80)}\` is not such a value`);
}

function digestIn(value: unknown, at: string): Digest {
  if (typeof value === "string" && isDigest(value)) return value;
  throw malformed(at, "expected a sha256 digest");
}

function blobOf(members: Members, at: string): BundledBlob {
  const { size } = members;
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw malformed(`${at}.size`, "no size");
  return { digest: digestIn(members["digest"], `${at}.digest`), size };
}

function wheelOf(members: Members, at: string): BundledWheel {
  const fileName = textOf(members, "fileName", at, (text) => WHEEL_NAME.test(text));
  const url = members["url"] === undefined ? undefined : textOf(members, "url", at, isPlainUrl);
  return { fileName, ...blobOf(members, at), ...(url === undefined ? {} : { url }) };
}

/** An address on the network, without a password. */
function isPlainUrl(text: string): boolean {
  return /^https?:\/\/[^\s@]+$/.test(text) && text.length < 4096;
}

function fileOf(members: Members, at: string): BundledFile {
  return { name: textOf(members, "name", at, isBundledName), ...blobOf(members, at) };
}

function stepOf(members: Members, at: string): BundledStep {
  const { layers } = members;
  if (!Array.isArray(layers) || layers.length > 1000) throw malformed(`${at}.layers`, "expected an array");
  const diffIds = layers.map((layer: unknown, index) => digestIn(layer, `${at}.layers[${index}]`));
  return { key: digestIn(members["key"], `${at}.key`), layers: diffIds };
}

function answerOf(members: Members, at: string): BundledAnswer {
  return { key: digestIn(members["key"], `${at}.key`), ...blobOf(members, at) };
}

function builtOf(members: Members, at: string): BuiltWheel {
  const short = (name: string): string =>
    textOf(members, name, at, (text) => text.length < 300 && !/\p{Cc}/u.test(text));
  const { seconds } = members;
  if (typeof seconds !== "number" || !(seconds >= 0)) throw malformed(`${at}.seconds`, "no duration");
  return {
    key: digestIn(members["key"], `${at}.key`),
    fileName: textOf(members, "fileName", at, (text) => WHEEL_NAME.test(text)),
    ...blobOf(members, at),
    name: short("name"),
    version: short("version"),
    source: short("source"),
    python: short("python"),
    platform: short("platform"),
    seconds,
  };
}

function layerOf(members: Members, at: string): BundledLayer {
  const { digest: diffId, size } = blobOf({ digest: members["diffId"], size: members["size"] }, at);
  const note = parseWheelLayer(members["note"]);
  if (!note) throw malformed(`${at}.note`, "it does not say what a layer is made of");
  const blob = members["blob"] === undefined ? undefined : blobOf(membersOf(members["blob"], at), `${at}.blob`);
  return { diffId, size, ...(blob === undefined ? {} : { blob }), note };
}

/** Two entries for one thing would let the later one hide what a person saw of the first. */
function requireDistinct({ wheels, files, claims }: BundleDocument): void {
  const keys: readonly (readonly [string, readonly string[]])[] = [
    ["wheels", wheels.map(({ digest }) => digest)],
    ["files", files.map(({ name }) => name.toLowerCase())],
    ["claims.steps", claims.steps.map(({ key }) => key)],
    ["claims.resolutions", claims.resolutions.map(({ key }) => key)],
    ["claims.built", claims.built.map(({ key }) => key)],
    ["claims.packs", claims.packs.map(({ key }) => key)],
    ["claims.layers", claims.layers.map(({ diffId }) => diffId)],
  ];
  for (const [at, names] of keys) {
    const seen = new Set<string>();
    const twice = names.find((name) => seen.size === seen.add(name).size);
    if (twice !== undefined) throw malformed(at, `\`${twice.slice(0, 80)}\` is there twice`);
  }
}
