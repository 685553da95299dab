// SPDX-License-Identifier: Apache-2.0
/** Who is compared: engines that take the same words, each with a store of its own. */
import { writeFileSync } from "node:fs";
import { DOCKER, startDaemon } from "../daemon.ts";
import { TARE, unmountStorage } from "../engines.ts";
import type { NamedEngine, Starters } from "../engines.ts";
import { firstLine } from "../host.ts";
import type { Command } from "../measure.ts";

/** An engine. */
export interface Engine extends NamedEngine {
  /** A command in Docker's words. */
  command(...words: readonly string[]): Command;
}

/** How each is started. */
export const STARTERS: Starters<Engine> = { tare: tareEngine, docker: dockerEngine, podman: podmanEngine };

function tareEngine(root: string): Engine {
  return engine("Tare", (words) => ({ program: TARE, words, env: { TARE_ROOT: root } }));
}

async function dockerEngine(folder: string): Promise<Engine> {
  const daemon = await startDaemon(folder, { isInside: true, hasNetwork: true });
  const env = { DOCKER_HOST: daemon.socket };
  return { ...engine("docker", (words) => ({ program: DOCKER, words, env })), stop: () => daemon.stop() };
}

function podmanEngine(root: string): Engine {
  const places = ["--root", root, "--runroot", `${root}-run`, "--storage-driver", "overlay", "--runtime", "runc"];
  const store = [...places, "--network-config-dir", `${root}-networks`, "--cgroup-manager", "cgroupfs"];
  // Its own limits are higher than what a root without CAP_SYS_RESOURCE may give.
  const config = `${root}.conf`;
  writeFileSync(config, '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]\n');
  const env = { CONTAINERS_CONF: config };
  const podman = engine("podman", (words) => ({ program: "podman", words: [...store, ...words], env }));
  return { ...podman, stop: () => unmountStorage(root) };
}

function engine(name: string, command: (words: readonly string[]) => Command): Engine {
  const version = firstLine(command([]).program, "--version");
  return { name, version, command: (...words) => command(words), stop: () => Promise.resolve() };
}
