// SPDX-License-Identifier: Apache-2.0
/* Modules of WebAssembly, compiled from `assembly/`: numbers go in and come out, bytes lie in a memory that never grows. */

declare const WebAssembly: {
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

/** A function of a module; its numbers have 32 bits. */
export type WasmFunction = (first?: number, second?: number) => number;

/** An instance of a module, with a memory of its own. */
export interface WasmInstance {
  /** Views of it stay valid. */
  readonly memory: ArrayBuffer;
  /** Throws when the module lacks it. */
  function(name: string): WasmFunction;
}

/** A module in base64, which is compiled when the first instance is made. */
export class WasmModule {
  readonly #source: string;
  /** In a bundle of CommonJS `module` means another thing. */
  #code: object | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  instance(): WasmInstance {
    this.#code ??= new WebAssembly.Module(Buffer.from(this.#source, "base64"));
    const { exports } = new WebAssembly.Instance(this.#code);
    return { memory: memoryOf(exports.memory), function: (name) => functionOf(exports[name], name) };
  }
}

function memoryOf(memory: unknown): ArrayBuffer {
  if (typeof memory === "object" && memory !== null && "buffer" in memory && memory.buffer instanceof ArrayBuffer) {
    return memory.buffer;
  }
  throw new Error("the module has no memory");
}

function functionOf(value: unknown, name: string): WasmFunction {
  if (typeof value === "function") return (first, second) => Number(value(first, second));
  throw new Error(`the module lacks \`${name}\``);
}
