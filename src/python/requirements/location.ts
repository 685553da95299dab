// SPDX-License-Identifier: Apache-2.0
/** URLs, version control references and local paths as requirements name them. */
import { posix } from "node:path";
import { normalizeName } from "./names.ts";
import { GrammarProblem } from "./problem.ts";
import type { VcsReference } from "./types.ts";

/** Where a distribution comes from, and what its place says about it. */
export interface Location {
  readonly url?: string;
  readonly path?: string;
  readonly vcs?: VcsReference;
  readonly subdirectory?: string;
  readonly hashes: Readonly<Record<string, readonly string[]>>;
  /** A requirement that the place implies: `name==1.0` of a wheel, `name[extra]` of `#egg=`. */
  readonly implied?: string;
}

const VCS_SCHEME =
  /^(?:git\+(?:https?|ssh|git|file)|hg\+(?:https?|ssh|static-http|file)|svn\+(?:https?|ssh|svn|file)|bzr\+(?:https?|ssh|sftp|ftp|lp|file))$/;

const ARCHIVE = /\.(?:whl|zip|tar|tgz|tbz|txz|tlz|tar\.(?:gz|bz2|xz|lz|lzma))$/i;

function schemeOf(text: string): string {
  return /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase() ?? "";
}

/** True for a version control URL: `git+https://…`. */
export function isVcsUrl(text: string): boolean {
  return VCS_SCHEME.test(schemeOf(text));
}

/** True for what pip takes for a URL. */
export function isUrl(text: string): boolean {
  return /^(?:https?|file|ftp)$/.test(schemeOf(text)) || isVcsUrl(text);
}

/** True for the name of a wheel or source archive. */
export function isArchive(text: string): boolean {
  return ARCHIVE.test(text);
}

/** A path with a separator, or one that starts with a dot. */
export function looksLikePath(text: string): boolean {
  return text.includes("/") || text.startsWith(".");
}

/** Takes a URL apart. Throws `GrammarProblem`. */
export function locateUrl(url: string, cwd: string): Location {
  const hash = url.indexOf("#");
  const bare = hash < 0 ? url : url.slice(0, hash);
  const fragment = new URLSearchParams(hash < 0 ? "" : url.slice(hash + 1).replaceAll("+", "%2B"));
  const subdirectory = fragment.get("subdirectory") ?? undefined;
  const common = {
    ...(subdirectory === undefined ? {} : { subdirectory: checkSubdirectory(subdirectory) }),
    hashes: fragmentHashes(fragment),
  };
  const egg = fragment.get("egg");
  const isVcs = isVcsUrl(bare);
  const wheel = isVcs ? undefined : wheelRequirement(decodePercent(lastSegment(bare.split("?", 1)[0] ?? "")));
  const implied = wheel ?? (egg === null || egg === "" ? undefined : egg);
  const place = isVcs ? { vcs: vcsOf(bare, common.subdirectory) } : { url: bare, ...filePlace(bare, cwd) };
  return { ...common, ...place, ...(implied === undefined ? {} : { implied }) };
}

/** A file or folder on this machine. Throws `GrammarProblem` for a wheel whose name is none. */
export function locatePath(path: string, cwd: string): Location {
  const implied = wheelRequirement(lastSegment(path));
  return { path: posix.resolve(cwd, path), hashes: {}, ...(implied === undefined ? {} : { implied }) };
}

function checkSubdirectory(path: string): string {
  const normal = posix.normalize(path);
  if (!normal.startsWith("/") && normal !== ".." && !normal.startsWith("../")) return path;
  throw new GrammarProblem(`subdirectory \`${path}\` leads out of the source`);
}

function fragmentHashes(fragment: URLSearchParams): Readonly<Record<string, readonly string[]>> {
  const given = [...HASH_LENGTHS.keys()].filter((algorithm) => fragment.get(algorithm));
  return Object.fromEntries(
    given.map((algorithm) => [algorithm, [checkHash(algorithm, fragment.get(algorithm) ?? "")]]),
  );
}

const HASH_LENGTHS: ReadonlyMap<string, number> = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
]);

/** The digest in lower case. Throws `GrammarProblem` for an unknown algorithm or what is no digest of it. */
export function checkHash(algorithm: string, digest: string): string {
  const length = HASH_LENGTHS.get(algorithm);
  if (length === undefined)
    throw new GrammarProblem(`hash algorithm \`${algorithm}\` is not one of sha256, sha384, sha512`);
  if (digest.length === length && /^[0-9a-f]+$/i.test(digest)) return digest.toLowerCase();
  throw new GrammarProblem(`\`${digest.slice(0, 130)}\` is not a ${algorithm} digest (${length} hexadecimal digits)`);
}

/** `git+https://host/path@ref`: the reference is behind the last `@` of the path. */
function vcsOf(url: string, subdirectory: string | undefined): VcsReference {
  const match = /^([a-z]+)\+([^:]+:\/\/[^/]*)(.*)$/i.exec(url);
  if (match === null) throw new GrammarProblem("a version control URL needs `://`", "write git+ssh://git@host/path");
  const [, kind = "", host = "", path = ""] = match;
  const at = path.lastIndexOf("@");
  if (at === path.length - 1) throw new GrammarProblem("no reference behind `@`");
  return {
    kind: kind.toLowerCase() as VcsReference["kind"],
    url: host + (at < 0 ? path : path.slice(0, at)),
    ...(at < 0 ? {} : { ref: path.slice(at + 1) }),
    ...(subdirectory === undefined ? {} : { subdirectory }),
  };
}

/** The path of a `file:` URL; a relative one (`file:./x`) is relative to the working directory. */
function filePlace(url: string, cwd: string): { readonly path?: string } {
  if (schemeOf(url) !== "file") return {};
  const match = /^file:(?:\/\/([^/]*))?(.*)$/i.exec(url);
  const host = match?.[1] ?? "";
  if (host !== "" && host !== "localhost" && !host.startsWith(".")) {
    throw new GrammarProblem(
      `\`${url}\` names a file on another machine`,
      "a path on this machine has three slashes: file:///path",
    );
  }
  const path = (host.startsWith(".") ? host : "") + (match?.[2] ?? "");
  return { path: posix.resolve(cwd, decodePercent(path)) };
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new GrammarProblem(`\`${text}\` has a malformed percent escape`);
  }
}

function lastSegment(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `name==version` of a wheel's file name; undefined for other files. */
function wheelRequirement(fileName: string): string | undefined {
  if (!fileName.toLowerCase().endsWith(".whl")) return undefined;
  const parts = fileName.slice(0, -4).split("-");
  const [name = "", version = ""] = parts;
  const isWheel = (parts.length === 5 || parts.length === 6) && name !== "" && /^\d/.test(version);
  if (!isWheel)
    throw new GrammarProblem(`\`${fileName}\` is not the name of a wheel`, "name-version-python-abi-platform.whl");
  return `${normalizeName(name)}==${version.replaceAll("_", "-")}`;
}
