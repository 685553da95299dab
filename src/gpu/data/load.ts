// SPDX-License-Identifier: Apache-2.0
import { gpuDataOf } from "./parse.ts";
import type { GpuData } from "./types.ts";

/** The compatibility data that came with the program; read when it is asked for the first time. */
export async function shippedGpuData(): Promise<GpuData> {
  const { default: document } = await import("./shipped.json", { with: { type: "json" } });
  return gpuDataOf(document);
}
