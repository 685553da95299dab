// SPDX-License-Identifier: Apache-2.0
import { posix, relative } from "node:path";

/** Where the source of a container's program is on this host. */
export interface SourceMapping {
  /** Absolute folder of this host. */
  readonly source: string;
  /** Absolute folder in the container. */
  readonly target: string;
}

/** What an editor needs to attach. */
export interface AttachPlace {
  /** Shown in the editor's list. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The folder that is open in the editor. */
  readonly workspace: string;
  readonly workdir: string;
  readonly mounts: readonly SourceMapping[];
}

/** One entry of `configurations` in VS Code's `launch.json`. */
export interface LaunchEntry {
  readonly name: string;
  readonly type: "debugpy";
  readonly request: "attach";
  readonly connect: { readonly host: string; readonly port: number };
  readonly pathMappings: readonly { readonly localRoot: string; readonly remoteRoot: string }[];
  readonly justMyCode: boolean;
}

/**
 * The entry with which VS Code attaches. Mounted folders map to where they are mounted; the working directory, unless
 * it is one of them, to the open folder, as after `COPY . .`.
 */
export function launchEntry(place: AttachPlace): LaunchEntry {
  const { name, host, port, workspace, workdir, mounts } = place;
  const mapped = mounts.map(({ source, target }) => ({
    localRoot: inWorkspace(workspace, source),
    remoteRoot: target,
  }));
  const isMounted = mounts.some(({ target }) => target === workdir || isBelow(workdir, target));
  const own = isMounted || workdir === "/" ? [] : [{ localRoot: "${workspaceFolder}", remoteRoot: workdir }];
  const pathMappings = [...mapped, ...own].toSorted((a, b) => b.remoteRoot.length - a.remoteRoot.length);
  return { name, type: "debugpy", request: "attach", connect: { host, port }, pathMappings, justMyCode: true };
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

function inWorkspace(workspace: string, source: string): string {
  const path = relative(workspace, source);
  if (path === "") return "${workspaceFolder}";
  return path === ".." || path.startsWith("../") ? source : posix.join("${workspaceFolder}", path);
}
