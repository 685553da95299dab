// SPDX-License-Identifier: Apache-2.0
import type { OptionSpec } from "./command.ts";

/** `--detach-keys`. */
export const DETACH_KEYS_OPTION: OptionSpec = {
  name: "detach-keys",
  type: "string",
  description: "Keys that leave it running, as in `ctrl-a,d` (default `ctrl-p,ctrl-q`)",
};

/** `--signature-policy`: every command takes it, those that pull show it. */
export const SIGNATURE_POLICY_OPTION: OptionSpec = {
  name: "signature-policy",
  type: "string",
  valueName: "path",
  description: "Rules for images of registries (containers-policy.json)",
  complete: "file",
};

/** `-f` of what asks. */
export const FORCE_OPTION: OptionSpec = {
  name: "force",
  short: "f",
  type: "boolean",
  description: "Do not ask",
};

/** `--platform` of commands that read images. */
export const PLATFORM_OPTION: OptionSpec = {
  name: "platform",
  type: "string",
  description: "Platform of the image, as in `linux/arm64`",
};

/** `--signal` and `--timeout` of `stop` and `restart`. */
export const STOP_OPTIONS: readonly OptionSpec[] = [
  { name: "signal", short: "s", type: "string", description: "Signal to send; default: the container's stop signal" },
  {
    name: "timeout",
    short: "t",
    type: "string",
    valueName: "int",
    description: "Seconds to wait before the container is killed; -1: for ever",
  },
  { name: "time", type: "string", valueName: "int", description: "The old name of `--timeout`", hidden: true },
];
