// SPDX-License-Identifier: Apache-2.0
/* The bridge to libnvidia-ml.so.1. Only the child process of `client.ts` loads it: what it does can end a process. */
import { createRequire } from "node:module";
import type { LibraryHandle } from "koffi";
import { NVML_FUNCTION_NOT_FOUND } from "./return-codes.ts";

/** What a function of NVML takes: `unsigned int`, a device handle or `unsigned long long`, a place to write to. */
export type NvmlArgument = number | bigint | Buffer | null;

/** A loaded library. */
export interface NvmlLibrary {
  has(name: string): boolean;
  /** Calls the first of these functions that the library has; `FUNCTION_NOT_FOUND` when it has none. */
  call(names: readonly string[], ...args: readonly NvmlArgument[]): number;
  /** NVML's own words for an answer. */
  words(code: number): string;
}

/** Loads a library. Throws an `Error` with the loader's words. */
export function loadNvml(path: string): NvmlLibrary {
  const require = createRequire(typeof __filename === "string" ? __filename : import.meta.url);
  const koffi = require("koffi") as typeof import("koffi");
  const functions = new Functions(koffi.load(path));
  const has = (name: string): boolean => functions.get(name, "int", []) !== undefined;
  return {
    has,
    call: (names, ...args) => {
      const name = names.find(has);
      const found = name === undefined ? undefined : functions.get(name, "int", args.map(typeOf));
      return found ? Number(found(...args)) : NVML_FUNCTION_NOT_FOUND;
    },
    words: (code) => {
      if (code === NVML_FUNCTION_NOT_FOUND) return "the library has no such function";
      const text: unknown = functions.get("nvmlErrorString", "const char *", ["int"])?.(code);
      return typeof text === "string" && text !== "" ? text : `error ${code}`;
    },
  };
}

type Bound = ReturnType<LibraryHandle["func"]>;

/** Functions of a library by name and signature, looked up once. */
class Functions {
  readonly #library: LibraryHandle;
  readonly #known = new Map<string, Bound | undefined>();

  constructor(library: LibraryHandle) {
    this.#library = library;
  }

  get(name: string, result: string, args: readonly string[]): Bound | undefined {
    const key = `${result} ${name}(${args.join()})`;
    if (!this.#known.has(key)) this.#known.set(key, this.#bind(name, result, args));
    return this.#known.get(key);
  }

  #bind(name: string, result: string, args: readonly string[]): Bound | undefined {
    try {
      return this.#library.func(name, result, [...args]);
    } catch {
      // An older driver has no such function.
      return undefined;
    }
  }
}

/** A handle is a pointer that only NVML follows; as a number it goes the same way through the ABI. */
function typeOf(value: NvmlArgument): string {
  if (typeof value === "number") return "uint32_t";
  return typeof value === "bigint" ? "uint64_t" : "void *";
}
