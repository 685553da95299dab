// SPDX-License-Identifier: Apache-2.0
/* The programs that go on with containers after the command that started them has ended. */
import { fileURLToPath } from "node:url";
import { ownMountNamespace } from "../containers/index.ts";
import type { ContainerContextOptions } from "../containers/index.ts";

/** What these programs get on their command line, besides what they are about. */
export interface Places {
  readonly root: string;
  readonly runRoot: string;
  /** Where restarts happen; default: here. */
  readonly mountNamespace?: string;
}

/** Small programs of their own, quick to load: for the end of a container, and for its next start. */
export function containerCommands(
  places: Places,
): Pick<ContainerContextOptions, "exitCommand" | "restartCommand" | "healthCommand" | "mountNamespace"> {
  const { root, runRoot, mountNamespace = ownMountNamespace() } = places;
  const words = [root, runRoot, mountNamespace];
  return {
    mountNamespace,
    healthCommand: [process.execPath, pathOf(new URL("./container-health.worker.ts", import.meta.url)), root, runRoot],
    exitCommand: [process.execPath, pathOf(new URL("./container-ended.worker.ts", import.meta.url)), ...words],
    restartCommand: [process.execPath, pathOf(new URL("./container-restart.worker.ts", import.meta.url)), ...words],
  };
}

function pathOf(url: URL): string {
  return fileURLToPath(url);
}
