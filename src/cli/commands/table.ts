// SPDX-License-Identifier: Apache-2.0
/** Every command, in the order of help. Only the file of the command that is called is loaded. */
import type { CommandEntry } from "../command.ts";
import { CONTAINER_COMMANDS } from "./table-containers.ts";
import { GPU_COMMANDS } from "./table-gpu.ts";
import { NETWORK_COMMANDS } from "./table-networks.ts";
import { TRUST_COMMANDS } from "./table-trust.ts";
import { VOLUME_COMMANDS } from "./table-volumes.ts";

/** The commands. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "build",
    aliases: ["image build", "builder build", "buildx build"],
    group: "main",
    summary: "Build an image from a Dockerfile, or from a Python project without one",
    load: () => import("./build.ts"),
  },
  {
    name: "plan",
    aliases: [],
    group: "main",
    summary: "Show what a build would do, or write a project's plain Dockerfile",
    load: () => import("./plan.ts"),
  },
  {
    name: "run",
    aliases: ["container run"],
    group: "main",
    summary: "Create and run a new container from an image",
    load: () => import("./run.ts"),
  },
  {
    name: "lock",
    aliases: [],
    group: "main",
    summary: "Lock the dependencies of a Python project",
    load: () => import("./lock.ts"),
  },
  {
    name: "base",
    aliases: ["image base"],
    group: "main",
    summary: "Assemble a base image from signed Debian packages",
    load: () => import("./base.ts"),
  },
  {
    name: "push",
    aliases: ["image push"],
    group: "main",
    summary: "Send an image to a registry",
    load: () => import("./push.ts"),
  },
  {
    name: "pull",
    aliases: ["image pull"],
    group: "main",
    summary: "Fetch an image from a registry",
    load: () => import("./pull.ts"),
  },
  {
    name: "copy",
    aliases: ["image copy"],
    group: "main",
    summary: "Copy an image between registries, archives, folders, Docker and the store",
    load: () => import("./copy.ts"),
  },
  ...CONTAINER_COMMANDS,
  ...VOLUME_COMMANDS,
  ...NETWORK_COMMANDS,
  {
    name: "images",
    aliases: ["image ls", "image list"],
    group: "images",
    summary: "List images",
    outside: true,
    load: () => import("./images.ts"),
  },
  {
    name: "history",
    aliases: ["image history"],
    group: "images",
    summary: "Show the layers of an image and what made them",
    outside: true,
    load: () => import("./history.ts"),
  },
  {
    name: "image inspect",
    aliases: [],
    group: "images",
    summary: "Print everything known about images",
    load: async () => ({ command: (await import("./inspect.ts")).imageInspect }),
    hidden: true,
  },
  {
    name: "image size",
    aliases: [],
    group: "images",
    summary: "Show where the bytes of an image are",
    load: () => import("./image-size.ts"),
  },
  ...TRUST_COMMANDS,
  {
    name: "tag",
    aliases: ["image tag"],
    group: "images",
    summary: "Give an image another name",
    load: () => import("./tag.ts"),
  },
  {
    name: "rmi",
    aliases: ["image rm", "image remove"],
    group: "images",
    summary: "Remove images or names of images",
    load: () => import("./rmi.ts"),
  },
  {
    name: "image prune",
    aliases: [],
    group: "images",
    summary: "Remove images that nothing uses",
    load: () => import("./image-prune.ts"),
  },
  {
    name: "save",
    aliases: ["image save"],
    group: "images",
    summary: "Write images to an archive",
    load: () => import("./save.ts"),
  },
  {
    name: "load",
    aliases: ["image load"],
    group: "images",
    summary: "Read images from an archive",
    load: () => import("./load.ts"),
  },
  {
    name: "bundle",
    aliases: ["image bundle"],
    group: "images",
    summary: "Carry images with their base, wheels and locks to a machine without a network",
    load: () => import("./bundle.ts"),
  },
  {
    name: "wheels ls",
    aliases: ["wheels list"],
    group: "images",
    summary: "List the wheels that are here",
    outside: true,
    load: () => import("./wheels-ls.ts"),
  },
  {
    name: "wheels rm",
    aliases: ["wheels remove"],
    group: "images",
    summary: "Remove wheels that no layer is made of",
    load: () => import("./wheels-rm.ts"),
  },
  {
    name: "wheels push",
    aliases: [],
    group: "images",
    summary: "Share wheels that were built here through a registry",
    load: () => import("./wheels-push.ts"),
  },
  {
    name: "wheels pull",
    aliases: [],
    group: "images",
    summary: "Fetch wheels that others built from a registry",
    load: () => import("./wheels-pull.ts"),
  },
  {
    name: "import",
    aliases: ["image import"],
    group: "images",
    summary: "Make an image from a tar archive of files",
    load: () => import("./import.ts"),
  },
  {
    name: "search",
    aliases: [],
    group: "images",
    summary: "Search Docker Hub for images",
    outside: true,
    load: () => import("./search.ts"),
  },
  {
    name: "manifest inspect",
    aliases: [],
    group: "images",
    summary: "Print the manifest or index of an image at a registry",
    outside: true,
    load: () => import("./manifest-inspect.ts"),
  },
  {
    name: "login",
    aliases: [],
    group: "images",
    summary: "Log in to a registry",
    outside: true,
    load: () => import("./login.ts"),
  },
  {
    name: "logout",
    aliases: [],
    group: "images",
    summary: "Log out from a registry",
    outside: true,
    load: () => import("./logout.ts"),
  },
  ...GPU_COMMANDS,
  {
    name: "system df",
    aliases: [],
    group: "system",
    summary: "Show what takes space in the store",
    load: () => import("./system-df.ts"),
  },
  {
    name: "system prune",
    aliases: [],
    group: "system",
    summary: "Remove what nothing needs any more",
    load: () => import("./system-prune.ts"),
  },
  {
    name: "system fsck",
    aliases: [],
    group: "system",
    summary: "Check the store for damage and repair it",
    load: () => import("./system-fsck.ts"),
  },
  {
    name: "system check",
    aliases: [],
    group: "system",
    summary: "Show what this host has and lacks",
    load: () => import("./system-check.ts"),
  },
  {
    name: "system boot",
    aliases: [],
    group: "system",
    summary: "Start the containers that their restart policy starts with the machine",
    load: () => import("./system-boot.ts"),
  },
  {
    name: "system service",
    aliases: [],
    group: "system",
    summary: "Have systemd start containers with the machine",
    load: () => import("./system-service.ts"),
  },
  {
    name: "system install",
    aliases: [],
    group: "system",
    summary: "Install what this host lacks",
    outside: true,
    load: () => import("./system-install.ts"),
  },
  {
    name: "info",
    aliases: ["system info"],
    group: "system",
    summary: "Show the store, the runtime and the host",
    load: () => import("./info.ts"),
  },
  {
    name: "version",
    aliases: [],
    group: "other",
    summary: "Show the versions of Tare and Node",
    outside: true,
    load: () => import("./version.ts"),
  },
  {
    name: "completion",
    aliases: [],
    group: "other",
    summary: "Print the completion script of a shell",
    outside: true,
    load: () => import("./completion.ts"),
  },
  {
    name: "__complete",
    aliases: [],
    group: "other",
    summary: "Answer a shell's question for completions",
    outside: true,
    load: () => import("./complete.ts"),
    hidden: true,
  },
];

/** The command that `words` begin with, and how many words its name takes. */
export function lookUp(words: readonly string[]): { readonly entry: CommandEntry; readonly words: number } | undefined {
  for (const count of [3, 2, 1]) {
    const wanted = words.slice(0, count).join(" ");
    const entry = COMMANDS.find(({ name, aliases }) => name === wanted || aliases.includes(wanted));
    if (entry && words.length >= count) return { entry, words: count };
  }
  return undefined;
}

/** First words of names with several: `image`, `container`, `system` … */
export function groupNames(): readonly string[] {
  const words = COMMANDS.flatMap(({ name, aliases }) => [name, ...aliases]).map((name) => name.split(" "));
  return [...new Set(words.filter((parts) => parts.length > 1).map(([group = ""]) => group))];
}

/** The group that `words` begin with (`image`, `gpu data`), and how many words its name takes. */
export function groupOf(words: readonly string[]): { readonly group: string; readonly words: number } | undefined {
  for (const count of [2, 1]) {
    const group = words.slice(0, count).join(" ");
    if (words.length >= count && groupEntries(group).length > 0) return { group, words: count };
  }
  return undefined;
}

/** The members of a group by the rest of their names; the first spelling of each command only. */
export function groupEntries(group: string): readonly (readonly [string, CommandEntry])[] {
  return COMMANDS.flatMap((entry) => {
    const name = [entry.name, ...entry.aliases].find((candidate) => candidate.startsWith(`${group} `));
    return name === undefined ? [] : [[name.slice(group.length + 1), entry] as const];
  });
}
