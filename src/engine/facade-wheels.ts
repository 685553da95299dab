// SPDX-License-Identifier: Apache-2.0
/* Wheels in the store and in registries: that part of the face. */
import type { BuiltWheel, StoredWheel } from "../python/index.ts";
import type { LongCall } from "./facade.ts";

export type { BuiltWheel, StoredWheel } from "../python/index.ts";

/** `wheels push`, `wheels pull`. */
export interface ShareWheelsRequest extends LongCall {
  /** `registry/name[:tag]`. */
  readonly repository: string;
  /** `flash-attn`, `flash-attn==2.8.3`; none: all that were built. */
  readonly names: readonly string[];
}

/** `wheels pull`. */
export interface PullWheelsRequest extends ShareWheelsRequest {
  /** `linux/arm64`, `all`; default: this machine's. */
  readonly platform?: string;
}

/** What a push left at the registry. */
export interface PushedWheelSet {
  readonly repository: string;
  /** Of the manifest. */
  readonly digest: string;
  readonly wheels: readonly BuiltWheel[];
  /** How many the set has, with those of others. */
  readonly total: number;
  readonly existed: boolean;
}

/** What a pull brought. */
export interface PulledWheelSet {
  readonly wheels: readonly BuiltWheel[];
  /** How many were left because they are for other platforms. */
  readonly others: number;
}

/** Wheels. */
export interface WheelsApi {
  /** Wheels and sdists that are here. */
  list(): Promise<readonly StoredWheel[]>;
  /** Removes files, and what nothing needs any more. Throws `E_WHEEL_MISSING`, `E_WHEEL_INUSE`. */
  remove(names: readonly string[]): Promise<{ readonly wheels: readonly StoredWheel[]; readonly reclaimed: number }>;
  /** Shares wheels that were built here. Throws `E_REGISTRY*`, `E_MANIFEST`, `E_WHEEL_MISSING`. */
  push(request: ShareWheelsRequest): Promise<PushedWheelSet>;
  /** Fetches wheels that others built; builds take them in place of building. Throws as `push`, and `E_WHEEL…`. */
  pull(request: PullWheelsRequest): Promise<PulledWheelSet>;
}
