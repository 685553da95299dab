// SPDX-License-Identifier: Apache-2.0
import type { CommandEntry } from "../command.ts";

/** The commands of networks, in the order of help. */
export const NETWORK_COMMANDS: readonly CommandEntry[] = [
  {
    name: "port",
    aliases: ["container port"],
    group: "containers",
    summary: "List the published ports of a container",
    load: () => import("./port.ts"),
  },
  {
    name: "network ls",
    aliases: ["network list"],
    group: "containers",
    summary: "List networks",
    load: () => import("./network-ls.ts"),
  },
  {
    name: "network create",
    aliases: [],
    group: "containers",
    summary: "Make a network whose containers know one another by name",
    load: () => import("./network-create.ts"),
  },
  {
    name: "network inspect",
    aliases: [],
    group: "containers",
    summary: "Print everything known about networks",
    load: async () => ({ command: (await import("./inspect.ts")).networkInspect }),
  },
  {
    name: "network rm",
    aliases: ["network remove"],
    group: "containers",
    summary: "Remove networks",
    load: () => import("./network-rm.ts"),
  },
  {
    name: "network connect",
    aliases: [],
    group: "containers",
    summary: "Join a container to a network",
    load: () => import("./network-connect.ts"),
  },
  {
    name: "network disconnect",
    aliases: [],
    group: "containers",
    summary: "Take a container out of a network",
    load: () => import("./network-disconnect.ts"),
  },
  {
    name: "network prune",
    aliases: [],
    group: "containers",
    summary: "Remove all networks that no container uses",
    load: () => import("./network-prune.ts"),
  },
];
