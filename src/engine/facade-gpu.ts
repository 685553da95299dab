// SPDX-License-Identifier: Apache-2.0
/* GPUs: that part of the face. */
import type { GpuFinding, ImageNeeds } from "../gpu/index.ts";
import type { CdiListing } from "./facade-gpu-devices.ts";
import type { GpuList } from "./facade-gpu-list.ts";
import type { GenerateCdiRequest, GeneratedCdiList } from "./facade-gpu-cdi.ts";
import type { LongCall } from "./facade.ts";

export type { GpuFinding, GpuPackage, ImageNeeds } from "../gpu/index.ts";
export type { GpuList, GpuPartSummary, GpuSummary, GpuUser } from "./facade-gpu-list.ts";

/** What is to be checked, and for which machines. */
export interface GpuCheckRequest extends LongCall {
  /** An image of the store; absent: the host alone. */
  readonly image?: string;
  readonly platform?: string;
  /** Descriptions (`driver=535,sm=70`) or names of `tare.toml`; none: this host. */
  readonly targets: readonly string[];
  /** Absolute path of the folder whose `tare.toml` or `pyproject.toml` has the names. */
  readonly folder: string;
}

/** What was found for one machine. */
export interface GpuTargetReport {
  /** `this host`, the name in `tare.toml`, or the description. */
  readonly target: string;
  /** What the machine has: `driver 535.104.05 (CUDA 12.2); Tesla V100 (7.0)`. */
  readonly about: string;
  /** Errors first. */
  readonly findings: readonly GpuFinding[];
}

/** An image whose needs are asked for. */
export interface GpuNeedsRequest extends LongCall {
  readonly image: string;
  readonly platform?: string;
}

/** Answers about GPUs. */
export interface GpusApi {
  /** The GPUs of this host, and who uses them. A driver that does not answer is a remark, after 20 seconds at the latest. */
  list(call?: { readonly signal?: AbortSignal }): Promise<GpuList>;
  /**
   * Compares what an image needs with what machines have, or looks at this host alone. Throws `E_IMAGE_NOTFOUND`,
   * `E_USAGE` for a target that can't be read or that nothing names, `E_CONFIG`.
   */
  check(request: GpuCheckRequest): Promise<readonly GpuTargetReport[]>;
  /** CDI devices that can be asked for by name, and what is wrong with specifications. Throws `E_SETTINGS`. */
  cdiDevices(): Promise<CdiListing>;
  /**
   * CDI specifications of this host's GPUs, for any program that reads them. Throws `E_GPU_DRIVER` where a driver's parts
   * do not fit together.
   */
  generateCdi(request: GenerateCdiRequest): Promise<GeneratedCdiList>;
  /**
   * What an image needs of GPUs: CUDA, packages with the kernels in their shared objects, variables. Layers of wheels
   * that are not unpacked are read from their wheels. Throws `E_IMAGE_NOTFOUND`, `E_PLATFORM`, `E_LAYER_MISSING`.
   */
  needs(request: GpuNeedsRequest): Promise<ImageNeeds>;
}
