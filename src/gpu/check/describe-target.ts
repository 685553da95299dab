// SPDX-License-Identifier: Apache-2.0
import { driverText } from "./subject.ts";
import type { GpuData } from "../data/types.ts";
import type { GpuTarget } from "../types.ts";

/** `driver 535.104.05 (CUDA 12.2), Tesla V100 (7.0)`. */
export function describeTarget(target: GpuTarget, data: GpuData): string {
  const gpus = target.gpus.map(({ name, architecture, brand }) => {
    const what = name ?? brand ?? (target.vendor === "amd" ? "AMD GPU" : "GPU");
    return architecture === undefined ? what : `${what} (${architecture})`;
  });
  return [driverText({ target, data }), ...gpus].join(", ");
}
