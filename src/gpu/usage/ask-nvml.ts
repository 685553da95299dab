// SPDX-License-Identifier: Apache-2.0
import { isTareError } from "../../base/index.ts";
import type { HostRoots } from "../host/roots.ts";
import { NvmlClient } from "../nvml/client.ts";
import type { AskOptions } from "../nvml/client.ts";
import { findNvml } from "../nvml/find-library.ts";
import type { NvmlReport } from "../nvml/types.ts";
import type { HostGpus } from "../types.ts";

/** An answer, or the reason why there is none. */
export type NvmlOutcome = { readonly report: NvmlReport } | { readonly remark: string } | undefined;

/** Asks NVML once about a host that has NVIDIA's driver; undefined without one. Throws `E_ABORTED` alone. */
export async function askNvml(host: HostGpus, roots: HostRoots, options: AskOptions): Promise<NvmlOutcome> {
  const driver = host.drivers.find(({ vendor }) => vendor === "nvidia");
  if (driver === undefined) return undefined;
  const library = findNvml(roots.driver, driver);
  if (library === undefined) return { remark: missing(roots) };
  const client = new NvmlClient(library);
  try {
    return { report: await client.ask("report", options) };
  } catch (error) {
    if (!isTareError(error) || error.code !== "E_NVML") throw error;
    const { message, hint } = error;
    return { remark: `${ONLY_FILES}: ${message}${hint === undefined ? "" : ` (${hint})`}` };
  } finally {
    client.close();
  }
}

const ONLY_FILES = "memory, use and CUDA of NVIDIA's GPUs are not known";

function missing({ driver }: HostRoots): string {
  return `${ONLY_FILES}: there is no libnvidia-ml.so.1 below \`${driver}\`; install the driver's user-space part there`;
}
