// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
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

/** How a daemon is started otherwise than by default. */
export interface DaemonOptions {
  /** A folder of another Docker's programs, as its packages lay them out. */
  readonly programs?: string;
  /** Stays in this process's network namespace, which must be a private one. */
  readonly isInside?: boolean;
  /** With a bridge and its rules, in a private network namespace. */
  readonly hasNetwork?: boolean;
  /** Content of its configuration file. */
  readonly config?: object;
}

const START_SECONDS = 60;
const STOP_SECONDS = 30;

/**
 * Starts dockerd with socket, data, mounts and network namespace of its own: in the host's namespace, `--bridge=none` would
 * delete the bridge of a dockerd that runs there. Throws when it doesn't come up; `log` in the folder says why.
 */
export async function startDaemon(folder: string, options: DaemonOptions = {}): Promise<Daemon> {
  mkdirSync(folder, { recursive: true });
  const socket = `unix://${join(folder, "docker.sock")}`;
  const pidFile = join(folder, "docker.pid");
  const log = openSync(join(folder, "log"), "w");
  const places = ["--data-root", join(folder, "data"), "--exec-root", join(folder, "exec"), "--pidfile", pidFile];
  const network = options.hasNetwork ? [] : ["--bridge=none", "--iptables=false", "--ip6tables=false"];
  const configFile = join(folder, "daemon.json");
  writeFileSync(configFile, JSON.stringify(options.config ?? { "storage-driver": "overlay2" }));
  const namespaces = options.isInside ? ["--mount"] : ["--net", "--mount"];
  const words = [...namespaces, "dockerd", "--config-file", configFile, ...places, ...network, "-H", socket];
  const child = spawn("unshare", words, { stdio: ["ignore", log, log], env: daemonEnvironment(options.programs) });
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

function daemonEnvironment(programs: string | undefined): NodeJS.ProcessEnv {
  if (programs === undefined) return process.env;
  const path = [join(programs, "usr/bin"), join(programs, "usr/sbin"), process.env["PATH"] ?? ""];
  return { ...process.env, PATH: path.join(":") };
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
