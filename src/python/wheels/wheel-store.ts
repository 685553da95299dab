// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import type { Store } from "../../store/index.ts";
import type { WheelStore } from "../types.ts";

/** What a wheel store is opened with. */
export interface WheelStoreOptions {
  readonly store: Store;
  /** The user's environment: configuration of pip and uv, proxies, CA files. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** Opens the wheels of a store; cheap, nothing is read before it is needed. */
export function openWheelStore(_options: WheelStoreOptions): WheelStore {
  throw new TareError("E_UNSUPPORTED", "opening the wheel store: not yet");
}
