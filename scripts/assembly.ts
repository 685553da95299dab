// SPDX-License-Identifier: Apache-2.0
/**
 * Compiles each module of `assembly/` into a source file below `src/archive/`. With `--check` nothing is written, and the
 * exit code is 1 when a file differs.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { main } from "assemblyscript/asc";

interface Module {
  readonly source: string;
  readonly target: string;
  readonly name: string;
  /** Pages of 64 KiB, and where the compiler puts its constants: see the map in the source. */
  readonly memory: readonly string[];
}

const root = resolve(import.meta.dirname, "..");
const OPTIONS = ["-O3", "--runtime", "stub", "--noAssert", "--enable", "simd", "--enable", "bulk-memory"];
const MODULES: readonly Module[] = [
  {
    source: "assembly/inflate.ts",
    target: "src/archive/inflate/code.ts",
    name: "INFLATE_CODE",
    memory: ["--initialMemory", "11", "--maximumMemory", "11", "--memoryBase", "32768"],
  },
  {
    source: "assembly/deflate.ts",
    target: "src/archive/splice/code.ts",
    name: "DEFLATE_CODE",
    memory: ["--initialMemory", "14", "--maximumMemory", "14", "--memoryBase", "1024"],
  },
];

/** The module's bytes as a source file. */
async function compiled({ source, name, memory }: Module): Promise<string> {
  let code: Uint8Array | undefined;
  const { error, stderr } = await main([source, "--outFile", "module.wasm", ...OPTIONS, ...memory], {
    // Formatters know no decorators of functions.
    readFile: (file, folder) => readText(join(folder, file))?.replaceAll("// @inline\n", "@inline\n") ?? null,
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") code = contents;
    },
  });
  if (error !== null || code === undefined) throw new Error(`${source}: ${stderr.toString()}`);
  const lines =
    Buffer.from(code)
      .toString("base64")
      .match(/.{1,112}/g) ?? [];
  return [
    "// SPDX-License-Identifier: Apache-2.0",
    `// Generated from \`${source}\` by \`npm run assembly\`; do not edit.`,
    "",
    "/** A WebAssembly module, in base64. */",
    `export const ${name}: string =\n${lines.map((line) => `  "${line}"`).join(" +\n")};`,
    "",
  ].join("\n");
}

function readText(path: string): string | null {
  try {
    return readFileSync(resolve(root, path), "utf8");
  } catch {
    return null;
  }
}

for (const module of MODULES) {
  const text = await compiled(module);
  if (!process.argv.includes("--check")) writeFileSync(join(root, module.target), text);
  else if (readText(module.target) !== text) {
    process.stderr.write(`${module.target} is not what ${module.source} becomes: run \`npm run assembly\`\n`);
    process.exitCode = 1;
  }
}
