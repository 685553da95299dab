// SPDX-License-Identifier: Apache-2.0
/* Which GPU software goes with which: that part of the face. */
import type { GpuFacts } from "../gpu/index.ts";
import type { LongCall } from "./facade.ts";

export type { FrameworkBuild, GpuFacts } from "../gpu/index.ts";

/** The data in use, without its tables. */
export interface GpuDataSummary {
  readonly schema: number;
  readonly version: string;
  /** Day of the newest look at the sources. */
  readonly date: string;
  /** `shipped` with the program, or `updated` later. */
  readonly origin: "shipped" | "updated";
  /** Of an update: the file or reference. */
  readonly from?: string;
  /** Of an update: when it was taken; ISO 8601. */
  readonly updatedAt?: string;
  /** Of an update: of the bytes that were taken. */
  readonly digest?: string;
  /** Rows of each table. */
  readonly counts: Readonly<Record<string, number>>;
}

/** `gpu data update`. */
export interface GpuDataUpdateRequest extends LongCall {
  readonly source:
    | { readonly kind: "bytes"; readonly bytes: Buffer; /** As the user named it. */ readonly name: string }
    | { readonly kind: "reference"; readonly reference: string };
  /** Take it although it is older than what is in use. */
  readonly force: boolean;
}

/** `gpu data push`. */
export interface GpuDataPushRequest extends LongCall {
  /** `registry/name[:tag]`. */
  readonly reference: string;
  /** Absent: the data in use. */
  readonly bytes?: Buffer;
}

/** The data before and after. */
export interface GpuDataChanged {
  readonly before: GpuDataSummary;
  readonly after: GpuDataSummary;
}

/** Compatibility data. Nothing is ever fetched but by `update`. */
export interface GpuDataApi {
  /** Throws `E_GPU_DATA` when the store has data of a schema that this program can't read. */
  show(): Promise<GpuDataSummary>;
  /** The whole document, as `update` takes it. */
  document(): Promise<string>;
  /** What is known of something: `torch` `2.7.0+cu128`, `cuda` `12.8`, `driver` `535`, `gpu` `8.6`. Throws `E_USAGE`. */
  lookUp(name: string, version: string | undefined): Promise<GpuFacts>;
  /** Throws `E_GPU_DATA` when it is malformed or older, `E_REGISTRY*`, `E_DIGEST_MISMATCH`; nothing has changed then. */
  update(request: GpuDataUpdateRequest): Promise<GpuDataChanged>;
  /** Back to what came with the program. */
  reset(): Promise<GpuDataChanged>;
  /** Shares data through a registry; the digest of its manifest. Throws `E_GPU_DATA`, `E_REGISTRY*`, `E_REF`. */
  push(
    request: GpuDataPushRequest,
  ): Promise<{ readonly reference: string; readonly digest: string; readonly version: string }>;
}
