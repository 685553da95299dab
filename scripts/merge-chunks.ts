// SPDX-License-Identifier: Apache-2.0
/**
 * Puts chunks that are always loaded together into one file. esbuild makes a chunk for each set of entries that share
 * code, so that `run` alone would read over twenty of them, at 0.5 to 1 ms each.
 */
import { build } from "esbuild";
import type { BuildOptions, Metafile, Plugin } from "esbuild";

/** Files by name (`run.cjs`), each with the chunks that it is made of. */
export type Groups = ReadonlyMap<string, readonly string[]>;

/** Chunks by the files that they go to. `sources`: modules that are entries or imported dynamically. */
export interface Division {
  /** Loaded by (nearly) all commands; each file has what its sources need and no earlier file has. */
  readonly bases: Readonly<Record<string, readonly string[]>>;
  /** Commands whose start counts most: each with the sources that it loads on its way. */
  readonly hot: Readonly<Record<string, readonly string[]>>;
  /** The file for what several hot commands need. */
  readonly shared: string;
}

/** Divides the chunks of a bundle. Chunks that are in no group stay files of their own. */
export function groupChunks(metafile: Metafile, { bases, hot, shared }: Division): Groups {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [chunkName(path), output]));
  const nameOf = (source: string): string => {
    const found = [...outputs].find(([, output]) => output.entryPoint === source);
    if (!found) throw new Error(`no chunk begins with ${source}`);
    return found[0];
  };
  const owners = new Map<string, string>();
  for (const [file, sources] of Object.entries(bases)) {
    for (const name of closure(outputs, sources.map(nameOf))) if (!owners.has(name)) owners.set(name, file);
  }
  const isBase = new Set(owners.keys());
  for (const [file, sources] of Object.entries(hot)) {
    for (const name of closure(outputs, sources.map(nameOf))) {
      if (!isBase.has(name)) owners.set(name, owners.has(name) ? shared : file);
    }
  }
  liftSmall(outputs, owners, isBase);
  const groups = new Map<string, string[]>();
  for (const [name, file] of owners) groups.set(file, [...(groups.get(file) ?? []), name]);
  return groups;
}

const SMALL = 4096;

/** What other commands need of a hot one's file goes to the first file when it is small: they load less then. */
function liftSmall(outputs: Outputs, owners: Map<string, string>, isBase: ReadonlySet<string>): void {
  const [first = ""] = owners.values();
  const others = [...outputs].filter(([name, { entryPoint }]) => entryPoint !== undefined && !owners.has(name));
  for (const name of closure(
    outputs,
    others.map(([entry]) => entry),
  )) {
    const output = outputs.get(name);
    if (output === undefined || !owners.has(name) || isBase.has(name) || output.bytes > SMALL) continue;
    const statics = output.imports.filter(({ kind, external }) => kind === "import-statement" && !external);
    if (statics.every(({ path }) => owners.get(chunkName(path)) === first)) owners.set(name, first);
  }
}

type Outputs = ReadonlyMap<string, Metafile["outputs"][string]>;

/** These chunks and all that they import statically. */
function closure(outputs: Outputs, names: readonly string[]): ReadonlySet<string> {
  const found = new Set(names);
  // A set can grow while it is walked.
  for (const name of found) {
    for (const { path, kind } of outputs.get(name)?.imports ?? []) {
      if (kind === "import-statement" && outputs.has(chunkName(path))) found.add(chunkName(path));
    }
  }
  return found;
}

/**
 * The text of one group as CommonJS; its export `chunks` has the namespaces of those that others need, by name.
 * `chunks`: the ES modules by the name that others import them with (`./chunk-ABC.cjs`).
 */
export async function mergeGroup(
  members: readonly string[],
  chunks: ReadonlyMap<string, string>,
  options: BuildOptions,
): Promise<string> {
  const wanted = members.filter((name) => isUsedOutside(name, members, chunks));
  const imports = members.map((name) => `import ${JSON.stringify(name)};`);
  const spaces = wanted.map((name, index) => `import * as chunk${index} from ${JSON.stringify(name)};`);
  const entries = wanted.map((name, index) => `${JSON.stringify(name)}: chunk${index}`);
  const contents = `${[...spaces, ...imports].join("\n")}\nexport const chunks = {${entries.join(", ")}};`;
  const { outputFiles } = await build({
    ...options,
    bundle: true,
    write: false,
    format: "cjs",
    stdin: { contents, resolveDir: "/" },
    plugins: [fromMemory(members, chunks)],
  });
  return outputFiles[0]?.text ?? "";
}

function isUsedOutside(name: string, members: readonly string[], chunks: ReadonlyMap<string, string>): boolean {
  return [...chunks].some(([other, code]) => !members.includes(other) && code.includes(JSON.stringify(name)));
}

/** Replaces the loading of chunks that are part of a group's file now. */
export function referToGroups(code: string, groups: Groups): string {
  const files = new Map([...groups].flatMap(([file, members]) => members.map((name) => [name, file] as const)));
  return code.replaceAll(/require\("(\.\/[\w.-]+\.cjs)"\)/g, (all, name: string) => {
    const file = files.get(name);
    return file === undefined ? all : `require("./${file}").chunks["${name}"]`;
  });
}

/** `dist/chunk-ABC.cjs` as others import it. */
function chunkName(path: string): string {
  return `./${path.split("/").at(-1) ?? ""}`;
}

function fromMemory(members: readonly string[], chunks: ReadonlyMap<string, string>): Plugin {
  const own = new Set(members);
  return {
    name: "chunks",
    setup(plugin) {
      plugin.onResolve({ filter: /^\.\/[\w.-]+\.cjs$/ }, ({ path }) =>
        // Not `.cjs` here: esbuild would wrap a file of that name as CommonJS, and all that it imports with it.
        own.has(path) ? { path: `${path}.js`, namespace: "chunk" } : { path, external: true },
      );
      plugin.onLoad({ filter: /.*/, namespace: "chunk" }, ({ path }) => ({
        contents: withOwnImports(chunks.get(path.slice(0, -3)) ?? "", own),
        loader: "js",
      }));
    },
  };
}

/** `import()` of a chunk in the same file would keep esbuild from joining the scopes, so it becomes a plain import. */
function withOwnImports(code: string, own: ReadonlySet<string>): string {
  const used = new Map<string, string>();
  const body = code.replaceAll(/\bimport\("(\.\/[\w.-]+\.cjs)"\)/g, (all, name: string) => {
    if (!own.has(name)) return all;
    const variable = used.get(name) ?? `__own${used.size}`;
    used.set(name, variable);
    return `Promise.resolve(${variable})`;
  });
  const imports = [...used].map(([name, variable]) => `import * as ${variable} from ${JSON.stringify(name)};`);
  return `${imports.join("")}${body}`;
}
