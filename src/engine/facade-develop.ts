// SPDX-License-Identifier: Apache-2.0
/* What a developer does with containers besides running them: that part of the face. */
import type { LaunchEntry } from "../develop/index.ts";
import type { CreateRequest } from "./facade-containers.ts";
import type { LongCall } from "./facade.ts";

export type { LaunchEntry } from "../develop/index.ts";

/** `run --debug`. */
export interface DebugOptions extends LongCall {
  /** Of this machine; absent: 5678, or the next one that is free. */
  readonly port?: number;
  /** The program begins when an editor has attached. */
  readonly wait: boolean;
}

/** A container whose Python program runs under debugpy, to be started with `containers.run`. */
export interface DebugPlan {
  readonly request: CreateRequest;
  readonly host: string;
  readonly port: number;
  /** Of debugpy. */
  readonly version: string;
  /** Of the image's Python. */
  readonly python: string;
  /** For VS Code's `launch.json`. */
  readonly entry: LaunchEntry;
}

/** Containers under development. */
export interface DevelopApi {
  /**
   * Puts debugpy in front of a container's Python program, fetching it for the image's Python at the first use. The image
   * stays as it is. Throws `E_NOT_PYTHON`, `E_PYTHON_NOTFOUND`, `E_PORT_BUSY`, `E_IMAGE_NOTFOUND`, and what fetching throws.
   */
  debug(request: CreateRequest, options: DebugOptions): Promise<DebugPlan>;
}
