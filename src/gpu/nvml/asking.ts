// SPDX-License-Identifier: Apache-2.0
import { readText } from "./layouts.ts";
import type { NvmlArgument, NvmlLibrary } from "./library.ts";
import { NVML_FUNCTION_NOT_FOUND, NVML_NOT_FOUND, NVML_NOT_SUPPORTED, NVML_SUCCESS } from "./return-codes.ts";

const NO_SUCH_THING: ReadonlySet<number> = new Set([NVML_NOT_SUPPORTED, NVML_NOT_FOUND, NVML_FUNCTION_NOT_FOUND]);

/** The function's name without its version. */
export function plainName(names: readonly string[]): string {
  return (names[0] ?? "").replace(/_v\d+$/, "");
}

/** Calls whose failure is no reason to stop. */
export class Asking {
  readonly library: NvmlLibrary;
  /** What was refused although it should not be, in NVML's words. */
  readonly problems: string[] = [];

  constructor(library: NvmlLibrary) {
    this.library = library;
  }

  /** Notes a failure unless it only says that there is no such thing. */
  note(name: string, code: number): void {
    if (!NO_SUCH_THING.has(code)) this.problems.push(`${plainName([name])}: ${this.library.words(code)}`);
  }

  /** True when the call worked; a failure is noted. */
  works(names: readonly string[], ...args: readonly NvmlArgument[]): boolean {
    const code = this.library.call(names, ...args);
    if (code !== NVML_SUCCESS) this.note(plainName(names), code);
    return code === NVML_SUCCESS;
  }

  /** The same for calls that many GPUs lack: nothing is noted. */
  quietly(names: readonly string[], ...args: readonly NvmlArgument[]): boolean {
    return this.library.call(names, ...args) === NVML_SUCCESS;
  }

  bytes(names: readonly string[], size: number, ...args: readonly NvmlArgument[]): Buffer | undefined {
    const bytes = Buffer.alloc(size);
    return this.works(names, ...args, bytes) ? bytes : undefined;
  }

  number(names: readonly string[], ...args: readonly NvmlArgument[]): number | undefined {
    return this.bytes(names, 4, ...args)?.readUInt32LE();
  }

  handle(names: readonly string[], ...args: readonly NvmlArgument[]): bigint | undefined {
    return this.bytes(names, 8, ...args)?.readBigUInt64LE();
  }

  text(names: readonly string[], size: number, ...args: readonly NvmlArgument[]): string | undefined {
    const bytes = Buffer.alloc(size);
    return this.works(names, ...args, bytes, size) ? readText(bytes) : undefined;
  }
}
