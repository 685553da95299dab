// SPDX-License-Identifier: Apache-2.0
import type { HostDriver, HostGpus } from "../types.ts";
import { nvidiaSpec } from "./nvidia.ts";
import type { GenerateOptions, GeneratedSpecs } from "./options.ts";
import { nodeSpec, wslSpec } from "./others.ts";

/**
 * CDI specifications of the GPUs that discovery found at the same place: one for each maker with a working driver. Throws
 * `E_GPU_DRIVER` where NVIDIA's libraries are missing or of another version than its kernel module.
 */
export function generateSpecs(host: HostGpus, options: GenerateOptions = {}): GeneratedSpecs {
  const found = host.drivers.map((driver) => specsOf(host, driver, options));
  return { specs: found.flatMap(({ specs }) => specs), remarks: found.flatMap(({ remarks }) => remarks) };
}

function specsOf(host: HostGpus, driver: HostDriver, options: GenerateOptions): GeneratedSpecs {
  if (driver.kind === "wsl") return wslSpec(driver, options);
  if (driver.vendor === "nvidia") return nvidiaSpec(host, driver, options);
  return nodeSpec(host, driver, options);
}
