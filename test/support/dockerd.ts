// SPDX-License-Identifier: Apache-2.0
/* A Docker Engine for one test, with a socket, data and network namespace of its own. */
import { spawn, spawnSync } from "node:child_process";
import type { SpawnSyncReturns } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { missingProgram } from "./peer-program.ts";
import type { CommandOptions, Outcome, ProgramWorld } from "./program.ts";

/** A running engine. */
export interface DockerPeer {
  /** The engine's process, whose network namespace is its own. */
  readonly pid: number;
  /** `DOCKER_HOST` of a client. */
  readonly socket: string;
  /** Path of the client. */
  readonly client: string;
  /** Runs the client; throws with its error output. */
  docker(args: readonly string[], cwd?: string): string;
  /** Runs the client; the exit code and all output. */
  attempt(args: readonly string[], cwd?: string): { readonly ok: boolean; readonly output: string };
  /** Runs the client with input; what it gives, apart. */
  run(args: readonly string[], options: CommandOptions): Outcome;
  stop(): Promise<void>;
}

/** Clients of the age of Debian's engine have BuildKit built in; newer ones need a plugin that Debian lacks. */
const CLIENTS = ["/usr/bin/docker", "/usr/local/bin/docker"];

/** The client that can build with BuildKit; undefined when there is none. */
function findClient(): string | undefined {
  return CLIENTS.find((client) => {
    const shown = spawnSync(client, ["--version"], { encoding: "utf8" });
    const major = Number(/version (\d+)/.exec(shown.stdout ?? "")?.[1] ?? Number.NaN);
    return major < 23 || spawnSync(client, ["buildx", "version"]).status === 0;
  });
}

/** Why no engine can be started here; undefined when one can. */
export function whyNoDocker(): string | undefined {
  if (process.getuid?.() !== 0) return "dockerd needs root";
  if (missingProgram("dockerd") !== undefined) return "dockerd (package docker.io) is not installed";
  return findClient() === undefined ? "no docker client that can build" : undefined;
}

/** Starts an engine below a world's folder, and gives it the world's image of that name. */
export async function startDockerWith(world: ProgramWorld, image: string): Promise<DockerPeer> {
  const archive = join(world.folder, `${image}-for-docker.tar`);
  world.ok("save", "-o", archive, image);
  const peer = await startDocker(join(world.folder, "docker"));
  peer.docker(["load", "-q", "-i", archive]);
  return peer;
}

/** Starts an engine in `folder`; with `network` it has a bridge and rules in its own namespace. */
export async function startDocker(folder: string, options: { readonly network?: boolean } = {}): Promise<DockerPeer> {
  fs.mkdirSync(folder, { recursive: true });
  const client = findClient() ?? "docker";
  const socket = `unix://${join(folder, "s")}`;
  const places = [
    "--data-root",
    join(folder, "data"),
    "--exec-root",
    join(folder, "exec"),
    "--pidfile",
    join(folder, "pid"),
  ];
  const network = options.network ? [] : ["--bridge=none", "--iptables=false", "--ip6tables=false"];
  const log = fs.openSync(join(folder, "log"), "w");
  const start = ["sh", "-c", 'ip link set lo up; exec "$@"', "sh"];
  const args = ["--net", "--mount", "--kill-child", "--fork", ...start, "dockerd", ...places, ...network, "-H", socket];
  const daemon = spawn("unshare", args, { stdio: ["ignore", log, log] });
  const call = (words: readonly string[], options: CommandOptions = {}): SpawnSyncReturns<string> => {
    const env = { ...process.env, DOCKER_BUILDKIT: "1", DOCKER_HOST: socket, ...options.env };
    return spawnSync(client, words, { ...options, env, encoding: "utf8", maxBuffer: 1 << 26 });
  };
  const attempt: DockerPeer["attempt"] = (words, cwd) => {
    const { status, stdout, stderr } = call(words, cwd === undefined ? {} : { cwd });
    return { ok: status === 0, output: `${stdout}${stderr}` };
  };
  for (let tries = 0; tries < 150 && !attempt(["version"]).ok; tries += 1) await sleep(200);
  if (!attempt(["version"]).ok)
    throw new Error(`dockerd did not start: ${fs.readFileSync(join(folder, "log"), "utf8").slice(-500)}`);
  const docker: DockerPeer["docker"] = (words, cwd) => {
    const { ok, output } = attempt(words, cwd);
    if (!ok) throw new Error(`docker ${words.join(" ")}: ${output}`);
    return output;
  };
  const run: DockerPeer["run"] = (words, options) => {
    const { status, stdout, stderr } = call(words, options);
    return { code: status ?? 128, out: stdout, err: stderr };
  };
  const pid = Number(fs.readFileSync(join(folder, "pid"), "utf8"));
  const stop = async (): Promise<void> => {
    const gone = new Promise((done) => daemon.once("exit", done));
    process.kill(pid, "SIGTERM");
    await Promise.race([gone, sleep(15_000)]);
    if (daemon.exitCode === null) daemon.kill("SIGKILL");
  };
  return { pid, socket, client, docker, attempt, run, stop };
}
