// SPDX-License-Identifier: Apache-2.0
/*
 * What was found in one shared object. A library is linked from many units, each with its own region of code for the
 * architectures that the library was built for; a few units have more (`9.0a`). What many regions have is what the
 * library runs on.
 */
import type { GpuKernels } from "../types.ts";

/** One piece of code. */
export interface KernelCode {
  readonly kind: "cubin" | "ptx" | "gfx";
  /** `9.0a`, `gfx90a`. */
  readonly architecture: string;
}

const MOST_MISSES = 200;
/**
 * Which part of the regions of the commonest architecture makes another one common. Many units of a library are for
 * some architectures only: vLLM runs on 7.5, which 60 % have; 12 % of torch's have the `a` of 10.0.
 */
const COMMON = 1 / 4;
/** PTX is for GPUs that a library has no machine code for: it helps when most of it has it. */
const COMMON_PTX = 1 / 2;

/** Counts of one shared object. */
export class KernelCounts {
  readonly #counts = new Map<string, { readonly code: KernelCode; count: number }>();
  #regions = { nvidia: 0, amd: 0 };
  #bytes = 0;
  #toolkit: string | undefined;
  #misses = 0;
  /** Something was there that could not be read. */
  isDamaged = false;

  /** What looked like the start of a bundle was none; a file with many of those is not worth the time. */
  miss(): void {
    this.#misses += 1;
    if (this.#misses > MOST_MISSES) this.isDamaged = true;
  }

  /** A whole region, read to its end. */
  addRegion(vendor: "nvidia" | "amd", codes: Iterable<KernelCode>, bytes: number): void {
    this.#bytes += bytes;
    const distinct = new Map([...codes].map((code) => [`${code.kind} ${code.architecture}`, code]));
    // The parts that link regions together may have none.
    if (distinct.size > 0) this.#regions[vendor] += 1;
    for (const [key, code] of distinct) {
      const known = this.#counts.get(key) ?? { code, count: 0 };
      this.#counts.set(key, { code, count: known.count + 1 });
    }
  }

  get regions(): number {
    return this.#regions.nvidia + this.#regions.amd;
  }

  /** Of all regions. */
  get bytes(): number {
    return this.#bytes;
  }

  /** CUDA of the compiler, by the first code that tells. */
  get toolkit(): string | undefined {
    return this.#toolkit;
  }

  noteToolkit(toolkit: string | undefined): void {
    this.#toolkit ??= toolkit;
  }

  kernels(): GpuKernels {
    const partial = this.#of("cubin", false);
    const gfx = this.#of("gfx");
    return {
      cubins: this.#of("cubin", true),
      ptx: this.#of("ptx", true),
      ...(partial.length === 0 ? {} : { partial }),
      ...(gfx.length === 0 ? {} : { gfx }),
    };
  }

  /** Of a kind, sorted; of those that are common, or are not. */
  #of(kind: KernelCode["kind"], isCommon?: boolean): readonly string[] {
    const counts = [...this.#counts.values()];
    const most = Math.max(0, ...counts.filter(({ code }) => code.kind !== "gfx").map(({ count }) => count));
    const least = most * (kind === "ptx" ? COMMON_PTX : COMMON);
    const found = counts.filter(({ code, count }) => {
      return code.kind === kind && (isCommon === undefined || isCommon === count >= least);
    });
    return found.map(({ code }) => code.architecture).toSorted(byArchitecture);
  }
}

/** By number, so that 9.0 stands before 10.0. */
export function byArchitecture(a: string, b: string): number {
  return Number.parseFloat(a) - Number.parseFloat(b) || (a < b ? -1 : a > b ? 1 : 0);
}
