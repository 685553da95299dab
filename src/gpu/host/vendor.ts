// SPDX-License-Identifier: Apache-2.0
import type { HostDriver, HostGpu } from "../types.ts";

/** What there is of one maker; `driver` absent where nothing of his works. */
export interface VendorGpus {
  readonly driver?: HostDriver;
  readonly gpus: readonly HostGpu[];
  readonly remarks: readonly string[];
}
