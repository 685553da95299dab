// SPDX-License-Identifier: Apache-2.0
/* Finds the Python of an image by looking at its files: nothing is run, so an ordinary user can, on any machine. */
import * as fs from "node:fs";
import { posix } from "node:path";
import { TareError } from "../../base/index.ts";
import { readFileInTree, resolveInTree } from "../../store/index.ts";
import { withLinks } from "./scheme-folders.ts";
import type { SourceTree } from "../../store/index.ts";
import type { InstallScheme, LibC, PythonTarget } from "../types.ts";

/** What an image's config tells. */
export interface ImageFacts {
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** `amd64` … */
  readonly architecture: string;
}

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The interpreter that `python3` starts in an image. Throws `E_PYTHON_NOTFOUND` with what was looked for. */
export function findInterpreter(tree: SourceTree, facts: ImageFacts): PythonTarget {
  const env = new Map(facts.env.map((entry) => pair(entry)));
  const started = findProgram(tree, env.get("PATH") || DEFAULT_PATH);
  const real = `/${resolveInTree(tree, started.slice(1))}`;
  const minor = minorOf(tree, real);
  if (minor === undefined) throw notFound(`\`${started}\` leads to \`${real}\`, whose version is not in its name`);
  const venv = venvOf(tree, started);
  const { isFreeThreaded, name } = libraryName(tree, real, minor);
  return {
    implementation: "cpython",
    version: versionOf(tree, { real, minor, env }),
    architecture: facts.architecture,
    libc: libcOf(tree),
    executable: executableOf(tree, started, minor),
    scheme: withLinks(tree, venv === undefined ? schemeOf(tree, real, name) : venvScheme(venv, name)),
    ...(isFreeThreaded ? { isFreeThreaded } : {}),
  };
}

function pair(entry: string): readonly [string, string] {
  const at = entry.indexOf("=");
  return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
}

function findProgram(tree: SourceTree, path: string): string {
  const folders = path.split(":").filter((folder) => folder.startsWith("/"));
  for (const folder of folders) {
    for (const name of ["python3", "python"]) {
      const place = posix.join(folder, name);
      const entry = tree.lookup(resolveInTree(tree, place.slice(1)));
      if (entry?.stats.isFile()) return place;
    }
  }
  throw notFound(`no python3 in ${folders.join(", ")}`);
}

function notFound(why: string): TareError {
  return new TareError("E_PYTHON_NOTFOUND", `looking for Python in the image: ${why}`, {
    hint: "use a base with Python, such as `python:3.11-slim` (`tare base python:3.11-slim` assembles one)",
  });
}

/** `3.11`, from the program's name or the library beside it. */
function minorOf(tree: SourceTree, real: string): string | undefined {
  const [, minor] = /python(3\.\d+)t?$/.exec(real) ?? [];
  if (minor !== undefined) return minor;
  const library = posix.join(posix.dirname(posix.dirname(real)), "lib").slice(1);
  const names = tree.list(library).map(({ path }) => posix.basename(path));
  const versions = names.flatMap((name) => /^python(3\.\d+)t?$/.exec(name)?.[1] ?? []);
  return versions.length === 1 ? versions[0] : undefined;
}

/** A virtual environment is known by the `pyvenv.cfg` above the program's folder (PEP 405). */
function venvOf(tree: SourceTree, started: string): string | undefined {
  const prefix = posix.dirname(posix.dirname(started));
  return tree.lookup(posix.join(prefix, "pyvenv.cfg").slice(1)) ? prefix : undefined;
}

function libraryName(
  tree: SourceTree,
  real: string,
  minor: string,
): { readonly name: string; readonly isFreeThreaded: boolean } {
  const prefix = posix.dirname(posix.dirname(real));
  const isFreeThreaded =
    real.endsWith("t") && tree.lookup(posix.join(prefix, "lib", `python${minor}t`).slice(1)) !== undefined;
  return { name: `python${minor}${isFreeThreaded ? "t" : ""}`, isFreeThreaded };
}

/**
 * Debian's own interpreter installs what pip brings into /usr/local, as dist-packages, but headers beside its own;
 * others install into their prefix.
 */
function schemeOf(tree: SourceTree, real: string, name: string): InstallScheme {
  const prefix = posix.dirname(posix.dirname(real));
  const own = prefixScheme(prefix, name, "site-packages");
  const isDebian = prefix === "/usr" && tree.lookup("usr/lib/python3/dist-packages") !== undefined;
  return isDebian ? { ...prefixScheme("/usr/local", name, "dist-packages"), headers: own.headers } : own;
}

/** In a virtual environment pip gives headers a folder of their own: the interpreter's are a link to the real ones. */
function venvScheme(venv: string, name: string): InstallScheme {
  return { ...prefixScheme(venv, name, "site-packages"), headers: posix.join(venv, "include/site", name) };
}

function prefixScheme(prefix: string, name: string, packages: string): InstallScheme {
  const library = posix.join(prefix, "lib", name, packages);
  return {
    purelib: library,
    platlib: library,
    scripts: posix.join(prefix, "bin"),
    headers: posix.join(prefix, "include", name),
    data: prefix,
  };
}

/**
 * The path that pip writes into scripts: what its own first line starts, since that is `sys.executable` then. Without
 * pip the name with the version, where there is one.
 */
function executableOf(tree: SourceTree, started: string, minor: string): string {
  const folder = posix.dirname(started);
  const [, pips] = /^#!(\/\S+)\n/.exec(textOf(tree, posix.join(folder, "pip")).slice(0, 256)) ?? [];
  const real = resolveInTree(tree, started.slice(1));
  const candidates = [pips ?? "", posix.join(folder, `python${minor}`)];
  return candidates.find((path) => path !== "" && resolveInTree(tree, path.slice(1)) === real) ?? started;
}

function versionOf(
  tree: SourceTree,
  { real, minor, env }: { readonly real: string; readonly minor: string; readonly env: ReadonlyMap<string, string> },
): string {
  const told = env.get("PYTHON_VERSION");
  if (told?.startsWith(`${minor}.`)) return told;
  const prefix = posix.dirname(posix.dirname(real));
  const header = textOf(tree, posix.join(prefix, "include", `python${minor}`, "patchlevel.h"));
  const [, defined] = /#define PY_VERSION\s+"([^"+]+)\+?"/.exec(header) ?? [];
  return defined ?? packageVersion(tree, minor) ?? binaryVersion(tree, real, minor) ?? `${minor}.0`;
}

/** Debian's and Alpine's package databases. */
function packageVersion(tree: SourceTree, minor: string): string | undefined {
  const status = textOf(tree, "/var/lib/dpkg/status");
  const debian = new RegExp(
    `^Package: (?:lib)?python${minor.replace(".", "\\.")}-minimal\\n(?:.+\\n)*?Version: (?:\\d+:)?(\\d+\\.\\d+\\.\\d+[ab\\d.rc]*)`,
    "m",
  );
  const alpine = /^P:python3\n(?:V:|(?:[^\n]+\n)*?V:)(\d+\.\d+\.\d+)/m;
  return debian.exec(status)?.[1] ?? alpine.exec(textOf(tree, "/lib/apk/db/installed"))?.[1];
}

/** The version is a string in the program or its library: `3.11.7 (main, …`. */
function binaryVersion(tree: SourceTree, real: string, minor: string): string | undefined {
  const prefix = posix.dirname(posix.dirname(real));
  const places = [real, posix.join(prefix, "lib", `libpython${minor}.so.1.0`)];
  const pattern = new RegExp(`\\0(${minor.replace(".", "\\.")}\\.\\d+(?:(?:a|b|rc)\\d+)?)\\+?\\0`);
  for (const place of places) {
    const found = pattern.exec(bytesOf(tree, place))?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}

const LIBC_FOLDERS = ["lib", "lib64", "usr/lib", "usr/lib64"];

/** The C library by its own version string: glibc prints it, musl has it as text. */
function libcOf(tree: SourceTree): LibC {
  const folders = LIBC_FOLDERS.flatMap((folder) => [folder, ...multiarch(tree, folder)]);
  for (const folder of folders) {
    const glibc = /GNU C Library [^\n]*version (\d+\.\d+)/.exec(bytesOf(tree, `/${folder}/libc.so.6`));
    if (glibc?.[1] !== undefined) return { kind: "glibc", version: glibc[1] };
  }
  const [loader] = tree
    .list(resolveInTree(tree, "lib"))
    .filter(({ path }) => /\/ld-musl-[\w]+\.so\.1$/.test(`/${path}`));
  if (loader) return { kind: "musl", version: muslVersion(bytesOf(tree, `/${loader.path}`)) };
  throw notFound("the image has neither glibc nor musl");
}

function multiarch(tree: SourceTree, folder: string): readonly string[] {
  const names = tree.list(resolveInTree(tree, folder)).map(({ path }) => posix.basename(path));
  return names.filter((name) => /-linux-gnu/.test(name)).map((name) => `${folder}/${name}`);
}

function muslVersion(bytes: string): string {
  const [, version] = /\0(\d+\.\d+)\.\d+\0/.exec(bytes) ?? [];
  return version ?? "1.1";
}

function textOf(tree: SourceTree, path: string): string {
  try {
    return readFileInTree(tree, path, LARGEST)?.toString("utf8") ?? "";
  } catch {
    return "";
  }
}

const LARGEST = 64 << 20;

/** A file's bytes, a character each. */
function bytesOf(tree: SourceTree, path: string): string {
  const entry = tree.lookup(resolveInTree(tree, path.slice(1)));
  if (!entry?.stats.isFile() || entry.stats.size > LARGEST) return "";
  return fs.readFileSync(entry.hostPath, "latin1");
}

/** A distribution that a root file system has already. */
export interface InstalledDistribution {
  readonly name: string;
  readonly version: string;
  /** Its .dist-info or .egg-info, without leading slash. */
  readonly path: string;
}

/** The distributions in the target's library folders, by their metadata folders' names, in the order of paths. */
export function installedDistributions(tree: SourceTree, target: PythonTarget): readonly InstalledDistribution[] {
  const folders = new Set([target.scheme.purelib, target.scheme.platlib].map((folder) => folder.slice(1)));
  const paths = [...folders].flatMap((folder) => tree.list(resolveInTree(tree, folder)).map(({ path }) => path));
  return paths.sort().flatMap((path): InstalledDistribution[] => {
    const [, name, version = ""] = /([^/-]+)-([^/-]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info$/.exec(path) ?? [];
    return name === undefined ? [] : [{ name: name.replaceAll(/[-_.]+/g, "-").toLowerCase(), version, path }];
  });
}
