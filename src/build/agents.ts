// SPDX-License-Identifier: Apache-2.0
/* `--ssh`: agents for RUN --mount=type=ssh. An agent that is started here ends with this process, however that ends. */
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TareError, execute } from "../base/index.ts";
import { untilde } from "./secrets.ts";
import type { SecretPlace } from "./secrets.ts";

/** Agents that a build may use, and how to end those that were started for it. */
export interface OpenAgents {
  readonly sockets: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

interface AgentPlace extends SecretPlace {
  readonly scratch: string;
  readonly stops: (() => void)[];
}

/** `--ssh id[=socket|key…]`: the user's agent, another socket, or a fresh agent that holds the given keys. */
export async function openAgents(
  requests: Readonly<Record<string, readonly string[]>>,
  place: SecretPlace & { readonly scratch: string },
): Promise<OpenAgents> {
  const sockets = new Map<string, string>();
  const stops: (() => void)[] = [];
  const close = async (): Promise<void> => stops.forEach((stop) => stop());
  try {
    for (const [id, paths] of Object.entries(requests)) {
      const files = paths.map((path) => resolve(place.cwd, untilde(path)));
      sockets.set(id, await agentSocket(id, files, { ...place, stops }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { sockets, close };
}

async function agentSocket(id: string, files: readonly string[], place: AgentPlace): Promise<string> {
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
  return stats.isSocket() ? first : startAgent(id, files, place);
}

const PATH = "/usr/local/bin:/usr/bin:/bin";

/** Socket names are relative to the agent's folder: a whole path may be longer than the 107 bytes of unix(7). */
async function startAgent(id: string, keys: readonly string[], place: AgentPlace): Promise<string> {
  const name = `ssh-${place.stops.length}`;
  const socket = join(place.scratch, name);
  await holdAgent(id, name, place);
  const added = await execute("ssh-add", ["-q", ...keys], { cwd: place.scratch, env: { SSH_AUTH_SOCK: name, PATH } });
  if (added.code === 0) return socket;
  throw new TareError("E_SSH", `ssh ${id}: adding the keys: ${added.stderr.trim()}`, {
    hint: "keys with a passphrase must be in your own agent",
  });
}

const PATIENCE_MS = 5000;

/** The agent lives as long as its command, and `cat` as long as the pipe from this process. */
async function holdAgent(id: string, name: string, place: AgentPlace): Promise<void> {
  const child = spawn("ssh-agent", ["-a", name, "cat"], { cwd: place.scratch, stdio: ["pipe", "ignore", "pipe"] });
  const failures: string[] = [];
  child.on("error", (error) => failures.push(error.message));
  child.stderr.on("data", (data: Buffer) => failures.push(data.toString()));
  child.stdin.on("error", () => undefined);
  place.stops.push(() => child.stdin.end());
  const socket = join(place.scratch, name);
  for (let waited = 0; waited < PATIENCE_MS && failures.length === 0; waited += 10) {
    if (fs.existsSync(socket)) return;
    await sleep(10);
  }
  throw new TareError("E_SSH", `ssh ${id}: starting ssh-agent: ${failures.join("").trim() || "no socket appeared"}`);
}
