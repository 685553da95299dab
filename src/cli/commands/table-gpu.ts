// SPDX-License-Identifier: Apache-2.0
import type { CommandEntry } from "../command.ts";

/** Commands about GPUs. */
export const GPU_COMMANDS: readonly CommandEntry[] = [
  {
    name: "gpu ls",
    aliases: ["gpu list"],
    group: "system",
    summary: "List the GPUs of this host and who uses them",
    outside: true,
    load: () => import("./gpu-ls.ts"),
  },
  {
    name: "gpu check",
    aliases: [],
    group: "system",
    summary: "Check whether an image runs on the GPUs of this host or of another machine",
    load: () => import("./gpu-check.ts"),
  },
  {
    name: "gpu data show",
    aliases: [],
    group: "system",
    summary: "Show what is known of which GPU software goes with which",
    outside: true,
    load: () => import("./gpu-data-show.ts"),
  },
  {
    name: "gpu data update",
    aliases: [],
    group: "system",
    summary: "Take newer compatibility data from a file or a registry",
    load: () => import("./gpu-data-update.ts"),
  },
  {
    name: "gpu data push",
    aliases: [],
    group: "system",
    summary: "Share compatibility data through a registry",
    outside: true,
    load: () => import("./gpu-data-push.ts"),
  },
  {
    name: "gpu cdi ls",
    aliases: ["gpu cdi list"],
    group: "system",
    summary: "List the CDI devices of this host",
    outside: true,
    load: () => import("./gpu-cdi-ls.ts"),
  },
  {
    name: "gpu cdi generate",
    aliases: [],
    group: "system",
    summary: "Write a CDI specification of the GPUs of this host",
    outside: true,
    load: () => import("./gpu-cdi-generate.ts"),
  },
  {
    name: "gpu needs",
    aliases: [],
    group: "system",
    summary: "Show what an image needs of GPUs: CUDA, packages and the kernels in them",
    load: () => import("./gpu-needs.ts"),
  },
];
