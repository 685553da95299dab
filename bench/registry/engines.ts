// SPDX-License-Identifier: Apache-2.0
/** Who is compared: each engine with a store of its own and the commands that a user would type. */
import { DOCKER, startDaemon } from "../daemon.ts";
import { TARE, unmountStorage } from "../engines.ts";
import type { NamedEngine, Starters } from "../engines.ts";
import { firstLine } from "../host.ts";
import type { Command } from "../measure.ts";

/** An engine. */
export interface Engine extends NamedEngine {
  build(folder: string, image: string): Command;
  tag(image: string, name: string): Command;
  pull(image: string): Command;
  push(image: string): Command;
  /** Leaves nothing of any image. */
  forget(): readonly Command[];
}

/** How each is started. */
export const STARTERS: Starters<Engine> = { tare: tareEngine, docker: dockerEngine, podman: podmanEngine };

function tareEngine(root: string): Engine {
  const command = (...words: string[]): Command => ({ program: TARE, words, env: { TARE_ROOT: root } });
  return {
    name: "Tare",
    version: firstLine(TARE, "--version"),
    build: (folder, image) => command("build", "-q", "-t", image, folder),
    tag: (image, name) => command("tag", image, name),
    pull: (image) => command("pull", "-q", image),
    push: (image) => command("push", "-q", image),
    forget: () => [command("system", "prune", "-af")],
    stop: () => Promise.resolve(),
  };
}

async function dockerEngine(folder: string): Promise<Engine> {
  const daemon = await startDaemon(folder, { isInside: true });
  const command = (...words: string[]): Command => {
    return { program: DOCKER, words, env: { DOCKER_HOST: daemon.socket, DOCKER_BUILDKIT: "1" } };
  };
  return {
    name: "docker",
    version: firstLine("dockerd", "--version"),
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
    version: firstLine("podman", "--version"),
    build: (folder, image) => command("build", "-q", "--layers", "-t", image, folder),
    tag: (image, name) => command("tag", image, name),
    pull: (image) => command("pull", "-q", "--tls-verify=false", image),
    push: (image) => command("push", "-q", "--tls-verify=false", image),
    forget: () => [command("rmi", "-af")],
    stop: () => unmountStorage(root),
  };
}
