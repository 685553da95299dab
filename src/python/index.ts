// SPDX-License-Identifier: Apache-2.0
export type {
  Bytecode,
  DirectUrl,
  DistributionFile,
  FetchOptions,
  InstallScheme,
  LibC,
  PythonTarget,
  StoredFile,
  WheelRef,
  WheelStore,
} from "./types.ts";
export { openWheelStore } from "./wheels/wheel-store.ts";
export type { WheelStoreOptions } from "./wheels/wheel-store.ts";
