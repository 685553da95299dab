// SPDX-License-Identifier: Apache-2.0
import { mergeConfig, processArguments, processEnvironment } from "./merge-config.ts";
import type { CreateRequest } from "./request.ts";
import type { ContainerImage } from "./types.ts";

/** What a container would start. */
export interface PlannedProcess {
  readonly args: readonly string[];
  /** `NAME=value`, without `HOME`. */
  readonly env: readonly string[];
  readonly workdir: string;
}

/** The first process of a container that is not made yet. Throws as making it would: `E_NO_COMMAND`, `E_ENV`, `E_WORKDIR`. */
export function plannedProcess(image: ContainerImage, request: CreateRequest): PlannedProcess {
  const config = mergeConfig(image.defaults, request, "");
  return { args: processArguments(config), env: processEnvironment(config), workdir: config.WorkingDir || "/" };
}
