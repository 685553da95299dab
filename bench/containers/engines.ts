// SPDX-License-Identifier: Apache-2.0
/** Who is compared: engines that take the same words, each with a store of its own. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { DOCKER, startDaemon } from "../daemon.ts";
import { finished } from "../measure.ts";
import type { Command } from "../measure.ts";

/** An engine. */
export interface Engine {
  readonly name: string;
  readonly version: string;
  /** A command in Docker's words. */
  command(...words: readonly string[]): Command;
  stop(): Promise<void>;
}

/** The engines of a run. */
interface OpenEngines {
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
  return engine("Tare", (words) => ({ program, words, env: { TARE_ROOT: root } }));
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
  return { ...podman, stop: async () => void spawnSync("umount", [join(root, "overlay")]) };
}

function engine(name: string, command: (words: readonly string[]) => Command): Engine {
  const version =
    finished(command(["--version"]))
      .output.trim()
      .split("\n")[0] ?? "";
  return { name, version, command: (...words) => command(words), stop: async () => undefined };
}

function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}
