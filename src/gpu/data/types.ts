// SPDX-License-Identifier: Apache-2.0
/*
 * What is known of which GPU software goes with which. The names are those of the JSON (`shipped.json`).
 * `null` says that nobody could tell; it never stands for "none" or "all".
 */

/** Where a row is from: keys of `sources`, with what replaces `{}` in the URL after a colon (`torch-matrix:4fa7ce0…`). */
export type SourceReferences = readonly string[];

/** One set of compatibility data. */
export interface GpuData {
  readonly schema: 1;
  /** Dotted numbers; the higher is the newer set. */
  readonly version: string;
  /** Day of the newest look at the sources: `2026-11-22`. */
  readonly date: string;
  /** URLs, in which `{version}` is the row's version and `{}` what follows the reference's colon. */
  readonly sources: Readonly<Record<string, string>>;
  /** Distributions that belong to another one: `jax-cuda12-plugin` is JAX's build `cuda12`. */
  readonly aliases: Readonly<Record<string, { readonly name: string; readonly local: string }>>;
  readonly toolkits: readonly ToolkitRow[];
  readonly capabilities: readonly CapabilityRow[];
  readonly minor: readonly MinorRow[];
  readonly compat: readonly CompatRow[];
  readonly drivers: readonly DriverRow[];
  readonly architectures: readonly ArchitectureRow[];
  readonly chips: readonly ChipRow[];
  readonly frameworks: readonly FrameworkRow[];
  readonly kernels: readonly KernelRow[];
  readonly cudnn: readonly CudnnRow[];
  readonly rocm: readonly RocmRow[];
}

/** What every row has. */
export interface Row {
  readonly source: SourceReferences;
  /** Read in a copy or transcription, not at the source itself. */
  readonly secondHand?: boolean;
}

/** A CUDA toolkit (`12.8`) and the Linux driver that was packaged with its first release. */
export interface ToolkitRow extends Row {
  readonly cuda: string;
  readonly driver: string | null;
  /** Driver packaged with each release (`12.8.1`). */
  readonly releases: Readonly<Record<string, string | null>>;
}

/** GPUs that the compilers of these toolkits know. */
export interface CapabilityRow extends Row {
  readonly cuda: readonly string[];
  readonly supported: readonly string[];
}

/** Minor-version compatibility: from this driver on, programs of any `cuda` (`12`, or one exception as `11.0`) run. */
export interface MinorRow extends Row {
  readonly cuda: string;
  readonly driver: string;
}

/** Forward compatibility: branches of drivers that a `cuda-compat` package goes with. */
export interface CompatRow extends Row {
  readonly cuda: string;
  readonly drivers: readonly number[];
}

/** A branch of drivers and the CUDA that it carries. */
export interface DriverRow extends Row {
  readonly branch: number;
  readonly cuda: string | null;
  /** As NVIDIA calls it: `LTS`, `Production`, `New Feature`. */
  readonly kind?: string;
  /** Month in which support ends: `2028-06`. */
  readonly end?: string;
}

/** A generation of GPUs. `current` says that the newest known still supports it. */
export interface ArchitectureRow extends Row {
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly firstCuda: string | null;
  /** A major version alone (`12`) is its last minor version. */
  readonly lastCuda: string | null;
  readonly lastDriver: number | "current" | null;
}

/** A chip by the numbers of its cards on the PCI bus (`20b0-20bf`, vendor 10de). */
export interface ChipRow extends Row {
  readonly chip: string;
  readonly capability: string;
  readonly pci: readonly string[];
}

/** Releases of a Python distribution and how they were built. */
export interface FrameworkRow extends Row {
  readonly name: string;
  /** Exact, or `1.18.*`. */
  readonly versions: readonly string[];
  /** Python versions that have wheels, or a specifier (`>=3.10`). */
  readonly python: readonly string[] | string | null;
  /** `local` of what a plain `pip install` gets on Linux x86_64. */
  readonly default: string | null;
  /** Index of a build; `{local}` is its word. */
  readonly index?: string;
  readonly builds: readonly BuildRow[] | null;
  /** Distributions that go with it: torchvision, torchaudio. */
  readonly companions?: Readonly<Record<string, string>>;
  /** The oldest GPU that any build has kernels for. */
  readonly minimumCapability?: string;
}

/** One build: the local part of its version (`cu128`), an extra (`cuda12`), or "" when there is one alone. */
export interface BuildRow {
  readonly local: string;
  /** CUDA that it was built with; a major version alone (`12`) where no more is known. */
  readonly cuda?: string | null;
  readonly rocm?: string;
  readonly cudnn?: string | null;
  /** CUDA that it runs with (`>=12.1`), where that is not the one it was built with. */
  readonly needs?: string;
  /** Minimum driver as its makers give it. */
  readonly driver?: string | null;
  readonly index?: string;
  /** The oldest GPU that it has kernels for. */
  readonly minimumCapability?: string;
}

/** Kernels in the wheels of some builds. */
export interface KernelRow extends Row {
  readonly name: string;
  readonly versions: readonly string[];
  readonly locals: readonly string[];
  /** Compute capabilities with machine code. */
  readonly cubins?: readonly string[];
  /** Where only the lowest and the highest are known. */
  readonly range?: readonly [string, string];
  readonly ptx: readonly string[];
  /** `measured` in the wheel, or `declared` by its build. */
  readonly how: "measured" | "declared";
}

/** A cuDNN release for some toolkits. */
export interface CudnnRow extends Row {
  readonly version: string;
  readonly cuda: readonly string[];
  readonly driver: string | null;
  readonly supported: readonly string[];
}

/** AMD GPUs that a ROCm release's PyTorch builds know. */
export interface RocmRow extends Row {
  readonly rocm: string;
  readonly targets: readonly string[];
}

/** An answer from the data, or why there is none. */
export type Answer<T> =
  | { readonly known: true; readonly value: T; readonly sources: readonly string[] }
  | { readonly known: false; readonly reason: string };

/** Whether two things go together, with the reason in one sentence. */
export interface Verdict<W extends string = "yes" | "no" | "unknown"> {
  readonly verdict: W;
  readonly reason: string;
  /** URLs. */
  readonly sources: readonly string[];
}
