// SPDX-License-Identifier: Apache-2.0
/*
 * `run --watch`: one container, started again whenever its sources change. The image is another one after a change of
 * what it is built from, if the caller builds it; then the container is made anew.
 *
 *     start ─▶ running ──change──▶ stop ─▶ (build) ─▶ start …
 *                 └──program ends──▶ waits for a change
 *     the user's interrupt, at any time ─▶ stop ─▶ remove (with --rm)
 */
import { posix } from "node:path";
import { messageOf } from "../base/index.ts";
import { createContainer, killContainer, removeContainer, startContainer, stopContainer } from "../containers/index.ts";
import type { ContainerImage, ContainersContext, CreateRequest, ProcessIo } from "../containers/index.ts";
import { FolderWatch } from "./watch-folder.ts";
import { watchIgnore } from "./watch-ignore.ts";

/** What happens while a run is watched. */
export type WatchEvent =
  | { readonly kind: "watching"; readonly root: string; readonly folders: number }
  | { readonly kind: "changed"; readonly paths: readonly string[] }
  | { readonly kind: "ended"; readonly exitCode: number }
  /** What the image is built from has changed; `builds`: it is built again now. */
  | { readonly kind: "outdated"; readonly paths: readonly string[]; readonly builds: boolean }
  | { readonly kind: "failed"; readonly message: string };

/** How a run is watched. */
export interface WatchedRun {
  /** Absolute. */
  readonly root: string;
  /** The image as it is now. */
  readonly image: () => Promise<ContainerImage>;
  readonly request: CreateRequest;
  readonly io: ProcessIo;
  readonly onEvent: (event: WatchEvent) => void;
  /** Builds the image again. */
  readonly rebuild?: () => Promise<void>;
  /** Fires when the user wants it to end, `kill` when he can't wait for that. */
  readonly end: AbortSignal;
  readonly kill: AbortSignal;
}

/** What an image is built from besides its sources. */
const INPUTS =
  /^(?:requirements[^/]*\.(?:txt|in)|pyproject\.toml|setup\.(?:py|cfg)|Pipfile|[^/]*\.lock|pylock\.[^/]*toml|environment\.ya?ml|package(?:-lock)?\.json|(?:[^/]*\.)?(?:Dockerfile|Containerfile)(?:\.[^/]*)?)$/;

/** Seconds from the stop signal to the kill; a first process without a handler does not hear the signal at all. */
const GRACE = 2;
const INTERRUPTED = 130;

/** True for a file that an image is built from: a Dockerfile, requirements, a lock. */
export function isBuildInput(path: string): boolean {
  return INPUTS.test(posix.basename(path));
}

/** Runs until `end` fires; the exit code of the last run. Throws what making and starting the container throws. */
export async function watchedRun(context: ContainersContext, run: WatchedRun): Promise<number> {
  const changes = new Changes();
  const watch = new FolderWatch({
    root: run.root,
    ignore: watchIgnore(run.root),
    onChange: (paths) => changes.add(paths),
  });
  run.onEvent({ kind: "watching", root: run.root, folders: watch.count });
  run.end.addEventListener("abort", () => changes.wake(), { once: true });
  const container = new WatchedContainer(context, run);
  try {
    for (;;) {
      const exitCode = await container.runUntil(changes);
      if (run.end.aborted) return (await container.stop()) ?? exitCode;
      await takeChanges(container, run, changes);
    }
  } finally {
    watch.close();
    await container.close();
  }
}

/** Stops the program, and builds what it is started from where that has changed; what changes meanwhile counts too. */
async function takeChanges(container: WatchedContainer, run: WatchedRun, changes: Changes): Promise<void> {
  const paths = changes.take();
  if (!paths.some(isBuildInput)) run.onEvent({ kind: "changed", paths });
  await container.stop();
  const inputs = [...paths, ...changes.take()].filter(isBuildInput);
  if (inputs.length === 0) return;
  run.onEvent({ kind: "outdated", paths: inputs, builds: run.rebuild !== undefined });
  try {
    await run.rebuild?.();
    if (run.rebuild) await container.discard();
  } catch (error) {
    run.onEvent({ kind: "failed", message: messageOf(error) });
  }
}

/** Paths that changed since they were taken, and who waits for one. */
class Changes {
  #paths = new Set<string>();
  #wake: (() => void) | undefined;

  add(paths: readonly string[]): void {
    for (const path of paths) this.#paths.add(path);
    this.wake();
  }

  wake(): void {
    this.#wake?.();
  }

  take(): readonly string[] {
    const paths = [...this.#paths].sort();
    this.#paths.clear();
    return paths;
  }

  /** At once when there is one already. */
  async next(end: AbortSignal): Promise<void> {
    while (this.#paths.size === 0 && !end.aborted) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

/** The container of a watched run; made at its first start. */
class WatchedContainer {
  readonly #context: ContainersContext;
  readonly #run: WatchedRun;
  #id: string | undefined;
  #running: Promise<number> | undefined;

  constructor(context: ContainersContext, run: WatchedRun) {
    this.#context = context;
    this.#run = run;
  }

  /** Starts it and returns after a change, or when the user wants the end; the exit code, if it has ended by itself. */
  async runUntil(changes: Changes): Promise<number> {
    const { io, end, onEvent } = this.#run;
    if (end.aborted) return INTERRUPTED;
    const id = (this.#id ??= await this.#make());
    const ended = startContainer(this.#context, id, io).then(({ exitCode = 0 }) => exitCode);
    this.#running = ended;
    const changed = changes.next(end);
    const exitCode = await Promise.race([ended, changed]);
    if (exitCode === undefined) return INTERRUPTED;
    this.#running = undefined;
    if (end.aborted) return exitCode;
    onEvent({ kind: "ended", exitCode });
    await changed;
    return exitCode;
  }

  /** Stops it, if it runs; how it ended. */
  async stop(): Promise<number | undefined> {
    const [id, running] = [this.#id, this.#running];
    if (id === undefined || running === undefined) return undefined;
    this.#running = undefined;
    const { kill, request } = this.#run;
    const killNow = (): void => void killContainer(this.#context, id, "KILL").catch(() => undefined);
    kill.addEventListener("abort", killNow, { once: true });
    try {
      await stopContainer(this.#context, id, { timeout: request.stopTimeout ?? GRACE });
      return await running;
    } finally {
      kill.removeEventListener("abort", killNow);
    }
  }

  /** The next start is of the image as it is then. */
  async discard(): Promise<void> {
    const id = this.#id;
    this.#id = undefined;
    if (id !== undefined) await removeContainer(this.#context, id, { force: true, volumes: true });
  }

  async close(): Promise<void> {
    if (this.#run.request.autoRemove) await this.discard();
  }

  async #make(): Promise<string> {
    const image = await this.#run.image();
    return (await createContainer(this.#context, image, { ...this.#run.request, autoRemove: false })).id;
  }
}
