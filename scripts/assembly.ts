// SPDX-License-Identifier: Apache-2.0
/**
 * Compiles `assembly/inflate.ts` into `src/archive/inflate/code.ts`. With `--check` nothing is written, and the exit
 * code is 1 when the file differs.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { main } from "assemblyscript/asc";

const root = resolve(import.meta.dirname, "..");
const TARGET = "src/archive/inflate/code.ts";
const OPTIONS = ["-O3", "--runtime", "stub", "--noAssert", "--enable", "simd", "--enable", "bulk-memory"];
/** Pages of 64 KiB, and where the compiler puts its constants: see the map in the source. */
const MEMORY = ["--initialMemory", "11", "--maximumMemory", "11", "--memoryBase", "32768"];

/** The module's bytes as a source file. */
async function compiled(): Promise<string> {
  let code: Uint8Array | undefined;
  const { error, stderr } = await main(["assembly/inflate.ts", "--outFile", "inflate.wasm", ...OPTIONS, ...MEMORY], {
    readFile: (name, folder) => readText(join(folder === "" ? root : folder, name)),
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") code = contents;
    },
  });
  if (error !== null || code === undefined) throw new Error(`assembly/inflate.ts: ${stderr.toString()}`);
  const lines =
    Buffer.from(code)
      .toString("base64")
      .match(/.{1,112}/g) ?? [];
  return [
    "// SPDX-License-Identifier: Apache-2.0",
    "// Generated from `assembly/inflate.ts` by `npm run assembly`; do not edit.",
    "",
    "/** A WebAssembly module, in base64. */",
    `export const INFLATE_CODE: string =\n${lines.map((line) => `  "${line}"`).join(" +\n")};`,
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

const text = await compiled();
if (!process.argv.includes("--check")) writeFileSync(join(root, TARGET), text);
else if (readText(TARGET) !== text) {
  process.stderr.write(`${TARGET} is not what assembly/inflate.ts becomes: run \`npm run assembly\`\n`);
  process.exit(1);
}
