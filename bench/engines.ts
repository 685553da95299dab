// SPDX-License-Identifier: Apache-2.0
/** Tare and the engines that take its words, as far as all benchmarks of them agree. */
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { DOCKER } from "./daemon.ts";
import { has } from "./host.ts";

/** Engines that can be compared with Tare. */
export const PEER_IDS: readonly string[] = ["docker", "podman"];

/** What every engine of a benchmark has. */
export interface NamedEngine {
  readonly name: string;
  readonly version: string;
  stop(): Promise<void>;
}

/** The engines of a run. */
export interface OpenEngines<Engine extends NamedEngine> {
  /** Tare first. */
  readonly all: readonly [Engine, ...Engine[]];
  readonly absent: readonly string[];
}

/** How each is started in a folder of its own. */
export interface Starters<Engine extends NamedEngine> {
  tare(folder: string): Engine;
  docker(folder: string): Promise<Engine>;
  podman(folder: string): Engine;
}

/** Tare's program in this checkout. */
export const TARE: string = resolve(import.meta.dirname, "../bin/tare");

/** Starts what has to be started; what is missing is left out with the reason. */
export async function openEngines<Engine extends NamedEngine>(
  folder: string,
  ids: readonly string[],
  start: Starters<Engine>,
): Promise<OpenEngines<Engine>> {
  const all: [Engine, ...Engine[]] = [start.tare(join(folder, "tare"))];
  const absent: string[] = [];
  for (const id of ids) {
    if (id === "docker" && has("dockerd") && has(DOCKER)) all.push(await start.docker(join(folder, "docker")));
    else if (id === "podman" && has("podman")) all.push(start.podman(join(folder, "podman")));
    else absent.push(`${id}: not installed`);
  }
  return { all, absent };
}

/** podman leaves its storage mounted. */
export async function unmountStorage(root: string): Promise<void> {
  spawnSync("umount", [join(root, "overlay")]);
  return Promise.resolve();
}

/** `NAME: VERSION` of all. */
export function versionsOf(engines: readonly Pick<NamedEngine, "name" | "version">[]): string {
  return engines.map(({ name, version }) => `${name}: ${version}`).join("; ");
}
