// SPDX-License-Identifier: Apache-2.0
/** Who is compared: each engine with a store of its own and the commands that a user would type. */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { DOCKER, startDaemon } from "../daemon.ts";
import { finished } from "../measure.ts";
import type { Command } from "../measure.ts";

/** An engine. */
export interface Engine {
  readonly name: string;
  readonly version: string;
  build(folder: string, image: string): Command;
  tag(image: string, name: string): Command;
  pull(image: string): Command;
  push(image: string): Command;
  /** Leaves nothing of any image. */
  forget(): readonly Command[];
  stop(): Promise<void>;
}

/** The engines of a run. */
export interface OpenEngines {
  /** Tare first. */
  readonly all: readonly [Engine, ...Engine[]];
  readonly absent: readonly string[];
}

/** Starts what has to be started; what is missing is left out with the reason. */
export async function openEngines(folder: string, ids: readonly string[]): Promise<OpenEngines> {
  const all: [Engine, ...Engine[]] = [tareEngine(join(folder, "tare"))];
  const absent: string[] = [];
  for (const id of ids) {
    if (id === "docker" && has("dockerd") && has(DOCKER)) all.push(await dockerEngine(join(folder, "docker")));
    else if (id === "podman" && has("podman")) all.push(podmanEngine(join(folder, "podman")));
    else absent.push(`${id}: not installed`);
  }
  return { all, absent };
}

function tareEngine(root: string): Engine {
  const program = resolve(import.meta.dirname, "../../bin/tare");
  const command = (...words: string[]): Command => ({ program, words, env: { TARE_ROOT: root } });
  return {
    name: "Tare",
    version: firstLine(command("--version")),
    build: (folder, image) => command("build", "-q", "-t", image, folder),
    tag: (image, name) => command("tag", image, name),
    pull: (image) => command("pull", "-q", image),
    push: (image) => command("push", "-q", image),
    forget: () => [command("system", "prune", "-af")],
    stop: async () => undefined,
  };
}

async function dockerEngine(folder: string): Promise<Engine> {
  const daemon = await startDaemon(folder, { isInside: true });
  const command = (...words: string[]): Command => {
    return { program: DOCKER, words, env: { DOCKER_HOST: daemon.socket, DOCKER_BUILDKIT: "1" } };
  };
  return {
    name: "docker",
    version: firstLine({ program: "dockerd", words: ["--version"] }),
    build: (context, image) => command("build", "-q", "-t", image, context),
    tag: (image, name) => command("tag", image, name),
    pull: (image) => command("pull", "-q", image),
    push: (image) => command("push", "-q", image),
    forget: () => [command("image", "prune", "-af"), command("builder", "prune", "-af")],
    stop: () => daemon.stop(),
  };
}

function podmanEngine(root: string): Engine {
  const store = ["--root", root, "--runroot", `${root}-run`, "--storage-driver", "overlay"];
  const command = (...words: string[]): Command => ({ program: "podman", words: [...store, ...words] });
  return {
    name: "podman",
    version: firstLine({ program: "podman", words: ["--version"] }),
    build: (folder, image) => command("build", "-q", "--layers", "-t", image, folder),
    tag: (image, name) => command("tag", image, name),
    pull: (image) => command("pull", "-q", "--tls-verify=false", image),
    push: (image) => command("push", "-q", "--tls-verify=false", image),
    forget: () => [command("rmi", "-af")],
    stop: async () => void spawnSync("umount", [join(root, "overlay")]),
  };
}

function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

function firstLine(command: Command): string {
  return finished(command).output.trim().split("\n")[0] ?? "";
}
