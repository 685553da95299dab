// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A dockerd of the benchmark's own. */
export interface Daemon {
  readonly socket: string;
  readonly pid: number;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

/** The distribution's client, which fits its daemon; another one may come first in PATH. */
export const DOCKER: string = existsSync("/usr/bin/docker") ? "/usr/bin/docker" : "docker";

const START_SECONDS = 60;
const STOP_SECONDS = 30;

/**
 * Starts dockerd with socket, data, mounts and network namespace of its own: in the host's namespace, `--bridge=none` would
 * delete the bridge of a dockerd that runs there. Throws when it doesn't come up; `log` in the folder says why.
 */
export async function startDaemon(folder: string): Promise<Daemon> {
  mkdirSync(folder, { recursive: true });
  const socket = `unix://${join(folder, "docker.sock")}`;
  const pidFile = join(folder, "docker.pid");
  const log = openSync(join(folder, "log"), "w");
  const places = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "--pidfile", pidFile];
  const network = ["--bridge=none", "--iptables=false", "--ip6tables=false", "-H", socket];
  const words = ["--net", "--mount", "dockerd", ...places, ...network, "--storage-driver", "overlay2"];
  const child = spawn("unshare", words, { stdio: ["ignore", log, log] });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  for (let tries = 0; tries < START_SECONDS * 5; tries += 1) {
    if (child.exitCode !== null) break;
    if (spawnSync(DOCKER, ["-H", socket, "version"]).status === 0) {
      const pid = Number(readFileSync(pidFile, "utf8"));
      return { socket, pid, stop: () => stop(pid, ended) };
    }
    await sleep(200);
  }
  child.kill();
  throw new Error(`starting dockerd: it did not come up; see ${join(folder, "log")}`);
}

async function stop(pid: number, ended: Promise<void>): Promise<void> {
  process.kill(pid, "SIGTERM");
  const late = new AbortController();
  const timeout = sleep(STOP_SECONDS * 1000, undefined, { signal: late.signal }).then(
    () => process.kill(pid, "SIGKILL"),
    () => undefined,
  );
  await Promise.race([ended, timeout]);
  late.abort();
}
