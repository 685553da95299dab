// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { TareError, execute, ioError } from "../base/index.ts";
import type { SecretSource } from "./request.ts";

/** Docker's limit; a secret is a password or a key, not a file to copy. */
const SECRET_LIMIT = 500 * 1024;

/** What is outside the Dockerfile but on this host. */
export interface SecretPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Secrets by id, read when a step asks. A file that is missing is an error now, before anything is built. */
export function openSecrets(
  sources: readonly SecretSource[],
  place: SecretPlace,
): ReadonlyMap<string, () => Buffer | undefined> {
  return new Map(sources.map((source) => [source.id, reader(source, place)]));
}

function reader(source: SecretSource, place: SecretPlace): () => Buffer | undefined {
  if (source.env !== undefined) return fromEnvironment(place, source.env);
  if (source.file !== undefined) return fromFile(source.id, resolve(place.cwd, untilde(source.file)));
  const byId = fromEnvironment(place, source.id);
  return byId() === undefined ? fromFile(source.id, resolve(place.cwd, source.id)) : byId;
}

function fromEnvironment(place: SecretPlace, name: string): () => Buffer | undefined {
  const value = place.env[name];
  return () => (value === undefined ? undefined : Buffer.from(value));
}

function fromFile(id: string, path: string): () => Buffer {
  const stats = fs.statSync(path, { throwIfNoEntry: false });
  if (!stats)
    throw new TareError("E_SECRET", `secret ${id}: \`${path}\` does not exist`, { hint: "check `src=` of `--secret`" });
  if (!stats.isFile()) throw new TareError("E_SECRET", `secret ${id}: \`${path}\` is not a file`);
  if (stats.size > SECRET_LIMIT)
    throw new TareError("E_SECRET", `secret ${id}: ${stats.size} bytes are more than ${SECRET_LIMIT}`);
  return () => {
    try {
      return fs.readFileSync(path);
    } catch (error) {
      throw ioError(`reading secret ${id}`, error);
    }
  };
}

function untilde(path: string): string {
  return path === "~" || path.startsWith("~/") ? homedir() + path.slice(1) : path;
}

/** Agents that a build may use, and how to end those that were started for it. */
export interface OpenAgents {
  readonly sockets: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** `--ssh id[=socket|key…]`: the user's agent, another socket, or a fresh agent that holds the given keys. */
export async function openAgents(
  requests: Readonly<Record<string, readonly string[]>>,
  place: SecretPlace & { readonly scratch: string },
): Promise<OpenAgents> {
  const sockets = new Map<string, string>();
  const started: number[] = [];
  for (const [id, paths] of Object.entries(requests)) {
    const files = paths.map((path) => resolve(place.cwd, untilde(path)));
    sockets.set(id, await agentSocket(id, files, { ...place, started }));
  }
  return { sockets, close: async () => started.forEach((pid) => stop(pid)) };
}

async function agentSocket(
  id: string,
  files: readonly string[],
  place: SecretPlace & { readonly scratch: string; readonly started: number[] },
): Promise<string> {
  const [first] = files;
  if (first === undefined) {
    const socket = place.env["SSH_AUTH_SOCK"];
    if (socket) return socket;
    throw new TareError("E_SSH", `ssh ${id}: no agent is running (SSH_AUTH_SOCK is not set)`, {
      hint: "start one, or give a key: `--ssh default=~/.ssh/id_ed25519`",
    });
  }
  const stats = fs.statSync(first, { throwIfNoEntry: false });
  if (!stats) throw new TareError("E_SSH", `ssh ${id}: \`${first}\` does not exist`);
  if (stats.isSocket()) return first;
  return startAgent(id, files, place);
}

async function startAgent(
  id: string,
  keys: readonly string[],
  place: { readonly scratch: string; readonly started: number[] },
): Promise<string> {
  const socket = `${place.scratch}/ssh-${place.started.length}`;
  const agent = await execute("ssh-agent", ["-a", socket, "-s"]);
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(agent.stdout)?.[1]);
  if (!pid) throw new TareError("E_SSH", `ssh ${id}: starting an agent: ${agent.stderr.trim()}`);
  place.started.push(pid);
  const added = await execute("ssh-add", ["-q", ...keys], {
    env: { SSH_AUTH_SOCK: socket, PATH: "/usr/local/bin:/usr/bin:/bin" },
  });
  if (added.code !== 0)
    throw new TareError("E_SSH", `ssh ${id}: adding the keys: ${added.stderr.trim()}`, {
      hint: "keys with a passphrase must be in your own agent",
    });
  return socket;
}

function stop(pid: number): void {
  try {
    process.kill(pid);
  } catch {
    // It has ended by itself.
  }
}
