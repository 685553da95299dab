// SPDX-License-Identifier: Apache-2.0
/** The rules of `docs/ARCHITECTURE.md` as functions over the modules of `src/`; each returns what breaks the rule. */
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, posix, resolve } from "node:path";
import ts from "typescript";

/** A source file and what it imports. */
export interface Module {
  /** Path from the root of the repository: `src/store/blobs.ts`. */
  readonly path: string;
  readonly text: string;
  /** Specifiers as written, of imports of every kind. */
  readonly imports: readonly string[];
}

/**
 * The rooms in the order of dependency, each with the rooms that it may import. A row names what the room's job needs
 * and not all that stands before it, so that a new edge is a decision made here.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  rootless: ["base"],
  http: ["base"],
  oci: ["base"],
  options: ["base", "oci"],
  archive: ["base"],
  store: ["base", "oci", "archive"],
  registry: ["base", "http", "oci", "archive", "store"],
  dockerfile: ["base", "oci", "options"],
  graph: ["base", "oci"],
  python: ["base", "http", "oci", "archive", "store"],
  network: ["base", "options", "store"],
  runtime: ["base", "rootless", "oci", "options"],
  gpu: ["base", "oci", "options", "archive", "store", "registry", "python", "runtime"],
  solver: ["base", "http", "oci", "archive", "store", "registry", "dockerfile", "graph", "python", "runtime", "gpu"],
  images: ["base", "oci", "options", "archive", "store", "registry", "dockerfile", "python"],
  trust: ["base", "http", "oci", "store", "registry", "python", "images"],
  bases: ["base", "oci", "archive", "store", "solver", "images"],
  volumes: ["base", "oci", "options", "archive", "store", "registry", "images"],
  project: ["base", "oci", "python", "gpu"],
  build: [
    "base",
    "http",
    "oci",
    "options",
    "archive",
    "store",
    "registry",
    "dockerfile",
    "graph",
    "python",
    "runtime",
    "gpu",
    "solver",
    "images",
    "trust",
    "bases",
    "project",
  ],
  containers: ["base", "oci", "options", "archive", "store", "network", "runtime", "gpu", "images", "volumes"],
  develop: ["base", "oci", "store", "dockerfile", "python", "runtime", "containers"],
  engine: [
    "base",
    "rootless",
    "http",
    "oci",
    "options",
    "archive",
    "store",
    "registry",
    "dockerfile",
    "graph",
    "python",
    "network",
    "runtime",
    "gpu",
    "solver",
    "images",
    "trust",
    "bases",
    "project",
    "build",
    "volumes",
    "containers",
    "develop",
  ],
  cli: ["base", "rootless", "options", "engine"],
};

/** Rooms that do no I/O, and what of Node they may use: functions of their arguments alone. */
const PURE_ROOMS: readonly string[] = ["oci", "options", "dockerfile", "graph"];
const PURE_MODULES = ["node:path", "node:util", "node:buffer"];
const PURE_NAMES = /import \{ (?:(?:isIP|isIPv4|isIPv6|createHash)(?:, )?)+ \} from "node:(?:net|crypto)"/;

const LONGEST_FILE = 400;

/** Reads the modules below `<root>/src`, tests aside. */
export function readModules(root: string): readonly Module[] {
  const names = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".ts") && !/\.test\.ts$|\.child\.ts$|\.d\.ts$/.test(name))
    .map((name) => moduleOf(`src/${name}`, readFileSync(join(root, "src", name), "utf8")));
}

/** A module from its text. */
export function moduleOf(path: string, text: string): Module {
  return { path, text, imports: ts.preProcessFile(text, true, true).importedFiles.map((file) => file.fileName) };
}

/** The room of a path, or "" for one outside the rooms. */
export function roomOf(path: string): string {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? "";
}

/** Rows of the table that name an unknown room or one that does not stand before them. */
export function brokenRows(rooms: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const order = Object.keys(rooms);
  return order.flatMap((room, position) =>
    (rooms[room] ?? [])
      .filter((other) => !order.slice(0, position).includes(other))
      .map((other) => `${room} may not import ${other}`),
  );
}

/** Imports of a room that the importing room's row does not have, and imports past a room's index.ts. */
export function brokenImports(modules: readonly Module[]): readonly string[] {
  return modules.flatMap(({ path, imports }) => {
    const from = roomOf(path);
    const allowed = ROOMS[from];
    if (allowed === undefined) return [`${path}: \`${from}\` is not a room of the table`];
    return imports.filter((name) => name.startsWith(".")).flatMap((name) => brokenImport(path, from, allowed, name));
  });
}

function brokenImport(path: string, from: string, allowed: readonly string[], name: string): readonly string[] {
  const target = posix.join(posix.dirname(path), name);
  const to = roomOf(target);
  if (to === from) return [];
  if (!allowed.includes(to)) return [`${path} -> ${target}: ${from} may not import ${to === "" ? "this" : to}`];
  return target === `src/${to}/index.ts` ? [] : [`${path} -> ${target}: import ${to} by its index.ts`];
}

/** Imports of packages that a pure room must not have. */
export function brokenPurity(modules: readonly Module[]): readonly string[] {
  return modules
    .filter(({ path }) => PURE_ROOMS.includes(roomOf(path)))
    .flatMap(({ path, text, imports }) =>
      imports
        .filter((name) => !name.startsWith(".") && !PURE_MODULES.includes(name) && !importsPureNames(text, name))
        .map((name) => `${path} -> ${name}: ${roomOf(path)} does no I/O`),
    );
}

function importsPureNames(text: string, name: string): boolean {
  const statements = text.split("\n").filter((line) => line.includes(`from "${name}"`));
  return statements.length > 0 && statements.every((line) => PURE_NAMES.test(line));
}

/** Files that are too long, lack the licence line, or export what a face must not. */
export function brokenShape(modules: readonly Module[]): readonly string[] {
  return modules.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split("\n");
    const found: string[] = [];
    if (lines.length > LONGEST_FILE) found.push(`${path}: ${lines.length} lines, at most ${LONGEST_FILE}`);
    if (lines[0] !== "// SPDX-License-Identifier: Apache-2.0") found.push(`${path}: no SPDX line`);
    if (/^export \* from/m.test(text)) found.push(`${path}: \`export *\` hides what is public`);
    if (/^export default\b/m.test(text)) found.push(`${path}: default export`);
    return found;
  });
}

/** Modules other than the command line's, and `base/config.ts`, that read the process's environment. */
export function brokenEnvironment(modules: readonly Module[]): readonly string[] {
  return modules
    .filter(
      ({ path, text }) => roomOf(path) !== "cli" && path !== "src/base/config.ts" && /\bprocess\.env\b/.test(text),
    )
    .map(({ path }) => `${path}: only cli reads process.env`);
}

/** Codes that are used and not in the table, and the other way round. */
export function brokenCodes(modules: readonly Module[], table: readonly string[]): readonly string[] {
  const used = new Map<string, string>();
  for (const { path, text } of modules) {
    if (path === "src/base/error-codes.ts") continue;
    for (const [, code = ""] of text.matchAll(/["'`](E_[A-Z0-9_]+)["'`]/g)) used.set(code, path);
  }
  const unknown = [...used].filter(([code]) => !table.includes(code)).map(([code, path]) => `${path}: unknown ${code}`);
  const idle = table.filter((code) => !used.has(code)).map((code) => `src/base/error-codes.ts: nothing throws ${code}`);
  return [...unknown, ...idle];
}

/** The root of the repository. */
export const REPOSITORY: string = resolve(dirname(import.meta.dirname));
