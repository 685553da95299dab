// SPDX-License-Identifier: Apache-2.0
import type { CommandEntry } from "../command.ts";

/** The commands of volumes, in the order of help. */
export const VOLUME_COMMANDS: readonly CommandEntry[] = [
  {
    name: "volume create",
    aliases: [],
    group: "volumes",
    summary: "Create a volume",
    load: () => import("./volume-create.ts"),
  },
  {
    name: "volume ls",
    aliases: ["volume list"],
    group: "volumes",
    summary: "List volumes",
    load: () => import("./volume-ls.ts"),
  },
  {
    name: "volume inspect",
    aliases: [],
    group: "volumes",
    summary: "Print everything known about volumes",
    load: async () => ({ command: (await import("./inspect.ts")).volumeInspect }),
  },
  {
    name: "volume rm",
    aliases: ["volume remove"],
    group: "volumes",
    summary: "Remove volumes that no container has",
    load: () => import("./volume-rm.ts"),
  },
  {
    name: "volume prune",
    aliases: [],
    group: "volumes",
    summary: "Remove all anonymous volumes that no container has",
    load: () => import("./volume-prune.ts"),
  },
  {
    name: "volume backup",
    aliases: [],
    group: "volumes",
    summary: "Write a volume to one checked file, all of it or what changed",
    load: () => import("./volume-backup.ts"),
  },
  {
    name: "volume restore",
    aliases: [],
    group: "volumes",
    summary: "Make a volume from backups",
    load: () => import("./volume-restore.ts"),
  },
  {
    name: "volume clone",
    aliases: [],
    group: "volumes",
    summary: "Make a volume that holds what another does",
    load: () => import("./volume-clone.ts"),
  },
  {
    name: "volume push",
    aliases: [],
    group: "volumes",
    summary: "Send a volume to a registry",
    load: () => import("./volume-push.ts"),
  },
  {
    name: "volume pull",
    aliases: [],
    group: "volumes",
    summary: "Fetch a volume from a registry",
    load: () => import("./volume-pull.ts"),
  },
];
