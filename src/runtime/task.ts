// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureDirectory, ioError, userNamespace } from "../base/index.ts";
import type { OciRuntime } from "./find.ts";
import { launchCommand, launchEnvironment } from "./overlay.ts";
import type { OverlayMount, SubpathMount } from "./overlay.ts";
import { UNLIMITED } from "./spec-limits.ts";
import type { OciProcess, OciSpec } from "./spec-types.ts";

/** A container to start: what both the foreground and the detached start need. */
export interface ContainerTask {
  readonly runtime: OciRuntime;
  readonly id: string;
  /** Private existing directory that receives config.json and the runtime's log; deleted by the caller. */
  readonly bundle: string;
  /** Directory that relative layer paths count from: the store's root. */
  readonly storeRoot: string;
  /** Mounted in the container's private mount namespace, in this order. */
  readonly overlays: readonly OverlayMount[];
  /** Mounted there too, after them. */
  readonly subpaths?: readonly SubpathMount[];
  readonly spec: OciSpec;
  /** The runtime's own state directory (`--root`), shared by all containers. */
  readonly stateRoot: string;
}

/** Paths in the bundle. */
export function runtimeLogPath(task: ContainerTask): string {
  return join(task.bundle, "runtime.log");
}

/** What a start that fails was doing, as the user sees it: a container by its short id, or a step of a build. */
export function startingOf({ id }: ContainerTask): string {
  if (id.startsWith("beside-")) return "starting the program";
  return /^[0-9a-f]{64}$/.test(id) ? `starting container \`${id.slice(0, 12)}\`` : "starting the step's process";
}

/** Writes config.json and the directory that stands in for an image without layers. */
export function writeBundle(task: ContainerTask): void {
  const path = join(task.bundle, "config.json");
  try {
    ensureDirectory(join(task.bundle, "empty"), 0o755);
    ensureDirectory(task.stateRoot, 0o700);
    writeFileSync(path, specText(task.spec), { mode: 0o600 });
  } catch (error) {
    throw ioError(`writing \`${path}\``, error);
  }
}

/** The JSON text, with "no limit" as the 2^64-1 that a JavaScript number can't hold. */
export function specText(spec: OciSpec | OciProcess): string {
  const marked = JSON.stringify(spec, (key, value: unknown) =>
    (key === "soft" || key === "hard") && value === UNLIMITED ? "@unlimited@" : value,
  );
  return marked.replaceAll(/"(soft|hard)":"@unlimited@"/g, '"$1":18446744073709551615');
}

/** The process to spawn for a task whose last word is `command`: program, arguments, directory, environment. */
export function launchOf(
  task: ContainerTask,
  command: readonly string[],
  dieWithParent: boolean,
): {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Record<string, string>;
} {
  const [program = "unshare", ...args] = launchCommand(task.overlays, command, {
    directory: task.storeRoot,
    emptyDirectory: join(task.bundle, "empty"),
    subpaths: task.subpaths,
    hidden: task.runtime.hidden,
    dieWithParent,
    inUserNamespace: !userNamespace().isInitial,
  });
  return { program, args, cwd: task.storeRoot, env: launchEnvironment(dirname(task.runtime.path)) };
}

const HIDE = 'umount -i -l "$1" || exit 125; shift; exec "$@"';

/** A call of the runtime from outside of a container's mount namespace: program, then its global arguments. */
export function runtimeCommand(runtime: OciRuntime, stateRoot: string, log?: string): string[] {
  const { hidden } = runtime;
  const hiding =
    hidden === undefined ? [] : ["unshare", "--mount", "--propagation", "slave", "sh", "-c", HIDE, "sh", hidden];
  return [...hiding, ...runtimeArguments(runtime, stateRoot, log)];
}

/** The runtime and its global arguments, for a place where what it must not see is hidden already. */
export function runtimeArguments(runtime: OciRuntime, stateRoot: string, log?: string): string[] {
  const logging = log === undefined ? [] : ["--log", log, "--log-format", "json"];
  return [runtime.path, "--root", stateRoot, ...logging];
}
