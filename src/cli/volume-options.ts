// SPDX-License-Identifier: Apache-2.0
import type { OptionSpec } from "./command.ts";

/** `--pause` of what reads a volume. */
export const PAUSE_OPTION: OptionSpec = {
  name: "pause",
  type: "boolean",
  description: "Containers that run with the volume stand still meanwhile: all files are of one moment",
};

/** `--force` of what fills one. */
export const REPLACE_OPTION: OptionSpec = {
  name: "force",
  short: "f",
  type: "boolean",
  description: "Replace what an existing volume holds; nothing may run with it",
};
