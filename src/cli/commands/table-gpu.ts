// SPDX-License-Identifier: Apache-2.0
import type { CommandEntry } from "../command.ts";

/** Commands about GPUs. */
export const GPU_COMMANDS: readonly CommandEntry[] = [
  {
    name: "gpu check",
    aliases: [],
    group: "system",
    summary: "Check whether an image runs on the GPUs of this host or of another machine",
    load: () => import("./gpu-check.ts"),
  },
];
