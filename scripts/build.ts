// SPDX-License-Identifier: Apache-2.0
/**
 * Builds `dist/`:
 *
 *   tare.cjs        what is started: checks Node's version in ES5, turns the compile cache on, loads the program
 *   program.cjs     the command line
 *   engine.cjs      what every command with an engine loads
 *   run.cjs build.cjs shared.cjs   what `run` and `build` load besides: one file each, and one for what both need
 *   chunk-*.cjs     what other commands load: a file for each `import()` and for what several of them share
 *   *.worker.cjs    code of worker threads (`src/…/*.worker.ts`)
 *   lib/            the library as ES modules with types
 *
 * `--no-lib` leaves the library out.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { build, transform } from "esbuild";
import type { BuildOptions, Plugin } from "esbuild";
import { groupChunks, mergeGroup, referToGroups } from "./merge-chunks.ts";

const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");
const OLDEST_NODE = [24, 15] as const;
/** Native modules, found in node_modules when they are used. */
const EXTERNAL = ["koffi", "@napi-rs/lzma"] as const;

const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
const workers = globSync("src/**/*.worker.ts", { cwd: root });

/** Worker threads are started by `new URL("./x.worker.ts", import.meta.url)`; in the bundle the file is beside it. */
const workerNames: Plugin = {
  name: "worker-names",
  setup(plugin) {
    plugin.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, "utf8");
      const contents = renamedWorkers(source, "cjs");
      return { contents: path.endsWith(".worker.ts") ? asynchronous(contents) : contents, loader: "ts" };
    });
  },
};

/** A CommonJS file has no `await` outside of functions: what follows the imports is put into one. */
function asynchronous(source: string): string {
  const head = /^(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/|import\s[^;]*;)*/.exec(source)?.[0] ?? "";
  return `${head}void (async () => {${source.slice(head.length)}})();`;
}

function renamedWorkers(source: string, extension: string): string {
  return source.replaceAll(/(["'`])[\w./-]*?([\w-]+)\.worker\.(?:ts|js)\1/g, `"./$2.worker.${extension}"`);
}

/**
 * First pass: ES modules, because only those are split where the source imports dynamically, so that a command reads
 * only what it uses.
 */
function bundleOptions(entry: string, name: string): BuildOptions {
  return {
    absWorkingDir: root,
    entryPoints: { [name]: entry },
    outdir: dist,
    outExtension: { ".js": ".cjs" },
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node24",
    external: [...EXTERNAL],
    define: {
      TARE_VERSION: JSON.stringify(version),
      "import.meta.url": "__here.url",
      "import.meta.dirname": "__dirname",
    },
    legalComments: "none",
    logLevel: "warning",
    plugins: [workerNames],
  };
}

/** Second pass: CommonJS, which Node starts faster (`import "node:http"` alone costs 40 ms more than `require`). */
const COMMON_JS = {
  platform: "node",
  target: "node24",
  supported: { "dynamic-import": false },
  minifySyntax: true,
  minifyWhitespace: true,
} as const;

async function toCommonJs(code: string): Promise<string> {
  return (await transform(code, { ...COMMON_JS, format: "cjs" })).code;
}

/** Loads one of Node's modules at the first use of one of its members: `crypto` alone costs 4 ms, `net` 8 ms. */
const LAZY =
  "const __lazy = (name) => { let module; return new Proxy({}, { get: (_, key) => (module ??= require(name))[key] }); };";
const LAZY_MODULES =
  /(\b\w+=)require\(("node:(?:child_process|crypto|dns|fs\/promises|http|https|net|os|readline|sqlite|stream|stream\/promises|timers\/promises|tls|tty|url|util|worker_threads|zlib)")\)/g;
/** esbuild copies all members for a namespace import (1 ms for `fs`), in case there is a default import too. */
const COPIED_MODULES = /=__toESM\((require\("node:[\w/]+"\))\)/g;
const HERE = 'const __here = { get url() { return require("node:url").pathToFileURL(__filename).href; } };';

function startingFast(code: string): string {
  const body = code.replaceAll(COPIED_MODULES, "=$1").replaceAll(LAZY_MODULES, "$1__lazy($2)");
  return `"use strict";${LAZY}${HERE}\n${body}`;
}

/** Which sources, entries or imported dynamically, are loaded together. */
const DIVISION = {
  bases: { "program.cjs": ["src/cli/entry.ts"], "engine.cjs": ["src/engine/index.ts"] },
  hot: {
    "run.cjs": [
      "src/cli/commands/run.ts",
      "src/containers/index.ts",
      "src/engine/container-commands.ts",
      "src/engine/devices.ts",
      "src/engine/user-settings.ts",
    ],
    "build.cjs": [
      "src/cli/commands/build.ts",
      "src/engine/build.ts",
      "src/engine/gpu-built.ts",
      "src/build/index.ts",
      "src/solver/index.ts",
      "src/runtime/index.ts",
    ],
  },
  shared: "shared.cjs",
};

async function writeProgram(): Promise<void> {
  const { outputFiles, metafile } = await build({
    ...bundleOptions("src/cli/entry.ts", "program"),
    metafile: true,
    write: false,
  });
  const chunks = new Map(outputFiles.map(({ path, text }) => [`./${basename(path)}`, text]));
  const groups = groupChunks(metafile, DIVISION);
  const merged = new Set([...groups.values()].flat());
  const write = (name: string, code: string): void =>
    writeFileSync(join(dist, name), startingFast(referToGroups(code, groups)));
  for (const [file, members] of groups) {
    write(file, await mergeGroup(members, chunks, { ...COMMON_JS, external: [...EXTERNAL] }));
  }
  for (const [name, code] of chunks) if (!merged.has(name)) write(name, await toCommonJs(code));
}

async function writeWorker(entry: string): Promise<void> {
  const { outputFiles } = await build({ ...bundleOptions(entry, basename(entry, ".ts")), write: false });
  for (const { path, text } of outputFiles) writeFileSync(path, startingFast(await toCommonJs(text)));
}

/** The text of `tare.cjs`. ES5, so that every Node can read it and say what is wrong. */
function launcher(): string {
  const [major, minor] = OLDEST_NODE;
  // Options of Node as in `bin/tare`, where the reasons are.
  return `#!/usr/bin/env -S node --max-semi-space-size=2 --
// SPDX-License-Identifier: Apache-2.0
"use strict";
var parts = process.versions.node.split(".");
if (+parts[0] < ${major} || (+parts[0] === ${major} && +parts[1] < ${minor})) {
  process.stderr.write("tare needs Node >= ${major}.${minor}, this is v" + process.versions.node +
    ": install a newer one (https://nodejs.org/en/download) and run tare with it\\n");
  process.exit(1);
}
var home = process.env.XDG_CACHE_HOME || (process.env.HOME && process.env.HOME + "/.cache");
// Node keeps the functions that the first run compiled and no others, so each hot command has a cache of its own.
var word = /^(build|exec|logs|ps|run|start|stop)$/.test(process.argv[2]) ? process.argv[2] : "other";
if (home && !process.env.NODE_COMPILE_CACHE) require("module").enableCompileCache(home + "/tare/node/" + word);
require("./program.cjs");
`;
}

async function buildProgram(): Promise<void> {
  mkdirSync(dist, { recursive: true });
  for (const old of globSync("*.cjs", { cwd: dist })) rmSync(join(dist, old));
  await writeProgram();
  for (const worker of workers) await writeWorker(worker);
  writeFileSync(join(dist, "tare.cjs"), launcher());
  chmodSync(join(dist, "tare.cjs"), 0o755);
}

function buildLibrary(): void {
  rmSync(join(dist, "lib"), { recursive: true, force: true });
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
  if (workers.length === 0) return;
  for (const path of globSync("**/*.js", { cwd: join(dist, "lib") })) {
    const file = join(dist, "lib", path);
    const source = readFileSync(file, "utf8");
    if (source.includes(".worker.ts")) writeFileSync(file, source.replaceAll(/\.worker\.ts(["'`])/g, ".worker.js$1"));
  }
}

await buildProgram();
if (!process.argv.includes("--no-lib")) buildLibrary();
