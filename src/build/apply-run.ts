// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { TareError } from "../base/index.ts";
import { parseMount, runScript } from "../dockerfile/index.ts";
import { proxyEnvironment } from "./arguments.ts";
import { commandArguments } from "./apply-config.ts";
import { splitPair } from "./stage-state.ts";
import type { CommandLine, Mount, RunInstruction } from "../dockerfile/index.ts";
import type { RunMount, RunOp, VertexId } from "../graph/index.ts";
import type { StageState } from "./stage-state.ts";

/** Gives the vertex that a mount's `from` (absent: the build context's path) means. */
export type MountSource = (from: string | undefined, path: string) => Promise<VertexId>;

/** RUN in shell, exec and heredoc form, with its mounts. */
export async function applyRun(state: StageState, instruction: RunInstruction, sourceOf: MountSource): Promise<void> {
  const { options, graph } = state.compilation;
  const { command, scripts } = commandOf(instruction);
  const args = commandArguments(state, command);
  const inputs: VertexId[] = [state.vertex];
  const mounts = await runMounts(state, instruction, { inputs, sourceOf });
  const op: RunOp = {
    type: "run",
    args,
    env: environmentOf(state),
    cwd: state.workdir,
    user: state.config.User ?? "",
    mounts,
    network: instruction.network === "default" ? options.network : instruction.network,
    security: instruction.security,
    devices: instruction.devices,
    extraHosts: options.extraHosts,
    ulimits: options.ulimits,
    ...(scripts.length > 0 ? { scripts } : {}),
    ...(options.buildArgs["BUILDKIT_SANDBOX_HOSTNAME"]
      ? { hostname: options.buildArgs["BUILDKIT_SANDBOX_HOSTNAME"] }
      : {}),
    ...(options.shmSize ? { shmSize: options.shmSize } : {}),
    ...(options.cgroupParent ? { cgroupParent: options.cgroupParent } : {}),
  };
  const label = state.stepLabel(labelOf(state, instruction));
  const platform = `${state.platform.os}/${state.platform.architecture}`;
  state.vertex = graph.add(op, inputs, {
    label,
    platform,
    ignoreCache: state.ignoreCache,
    source: state.sourceOf(instruction),
  });
  state.record(`RUN ${historyOf(state, args)} # buildkit`, true);
}

/** The command to run and the files that it needs: a heredoc that starts with `#!` is a program of its own. */
function commandOf(instruction: RunInstruction): {
  readonly command: CommandLine;
  readonly scripts: readonly { readonly path: string; readonly content: string }[];
} {
  const script = runScript(instruction);
  if (script.kind === "command") return { command: script.command, scripts: [] };
  const path = `/dev/pipes/${script.name}`;
  return { command: { form: "shell", command: path }, scripts: [{ path, content: script.content }] };
}

/** Everything in force, and proxy settings that were given without an ARG. */
function environmentOf(state: StageState): readonly string[] {
  const entries = [...state.environment].map(([name, value]) => `${name}=${value}`);
  const proxies = proxyEnvironment(state.compilation.options.buildArgs);
  return [...entries, ...proxies.filter((entry) => !state.environment.has(splitPair(entry)[0]))];
}

function labelOf(state: StageState, instruction: RunInstruction): string {
  const [first] = instruction.heredocs;
  const lines = first?.content.trim().split("\n") ?? [];
  const summary = first ? ` (${lines[0] ?? ""}${lines.length > 1 ? "..." : ""})` : "";
  return state.expander.shown(instruction.text) + summary;
}

function historyOf(state: StageState, args: readonly string[]): string {
  const given = [...state.declared].map(([name, value]) => `${name}=${state.environment.get(name) ?? value ?? ""}`);
  return [...(given.length > 0 ? [`|${given.length}`, ...given] : []), ...args].join(" ");
}

interface MountInputs {
  readonly inputs: VertexId[];
  readonly sourceOf: MountSource;
}

async function runMounts(
  state: StageState,
  instruction: RunInstruction,
  use: MountInputs,
): Promise<readonly RunMount[]> {
  const mounts: RunMount[] = [];
  for (const text of instruction.mounts) {
    const mount = parseMount(text, (word) => state.expander.word(word));
    const made = await runMount(state, mount, use);
    if (made) mounts.push(made);
  }
  return mounts;
}

function runMount(state: StageState, mount: Mount, use: MountInputs): Promise<RunMount> | RunMount {
  switch (mount.type) {
    case "bind":
      return bindMount(state, mount, use);
    case "cache":
      return cacheMount(state, mount, use);
    case "tmpfs":
      return { type: "tmpfs", target: targetOf(state, mount), ...(mount.size ? { size: mount.size } : {}) };
    case "secret":
      return secretMount(state, mount);
    case "ssh":
      return sshMount(mount);
  }
}

async function input(use: MountInputs, from: string | undefined, path: string): Promise<number> {
  const id = await use.sourceOf(from, path);
  const known = use.inputs.indexOf(id, 1);
  return known > 0 ? known : use.inputs.push(id) - 1;
}

async function bindMount(state: StageState, mount: Mount, use: MountInputs): Promise<RunMount> {
  const source = posix.join("/", mount.source ?? "/");
  const from = await input(use, mount.from, source);
  return { type: "bind", target: targetOf(state, mount), from, source, writable: !mount.readonly };
}

async function cacheMount(state: StageState, mount: Mount, use: MountInputs): Promise<RunMount> {
  const target = targetOf(state, mount);
  const source = posix.join("/", mount.source ?? "/");
  return {
    type: "cache",
    target,
    id: cacheName(state, mount, source),
    sharing: mount.sharing ?? "shared",
    source,
    readonly: mount.readonly,
    mode: mount.mode ?? 0o755,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
    ...(mount.from ? { from: await input(use, mount.from, source) } : {}),
  };
}

/**
 * Caches of one id with other owners or modes are other caches, as in BuildKit. A relative target names the cache as it
 * is written, whatever the working directory is.
 */
function cacheName(state: StageState, mount: Mount, source: string): string {
  const space = state.compilation.options.buildArgs["BUILDKIT_CACHE_MOUNT_NS"];
  const id = `${space ? `${space}/` : ""}${mount.id || posix.normalize(mount.target ?? "")}`;
  const look = [mount.uid, mount.gid, mount.mode];
  if (source !== "/" || look.every((part) => part === undefined)) return id;
  return `${id} (${mount.uid ?? 0}:${mount.gid ?? 0} ${(mount.mode ?? 0o755).toString(8)})`;
}

function secretMount(state: StageState, mount: Mount): RunMount {
  const id = mount.source || mount.id || posix.basename(mount.target ?? "");
  if (id === "") throw new TareError("E_DF_MOUNT", "one of source, target required");
  const env = mount.env === undefined ? undefined : mount.env || id;
  const target = mount.target || (env === undefined ? `/run/secrets/${posix.basename(id)}` : undefined);
  return {
    type: "secret",
    id,
    required: mount.required,
    mode: mount.mode ?? 0o400,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
    ...(env === undefined ? {} : { env }),
    ...(target === undefined ? {} : { target: posix.resolve(state.workdir, target) }),
  };
}

function sshMount(mount: Mount): RunMount {
  return {
    type: "ssh",
    id: mount.source || mount.id || "default",
    target: mount.target || "/run/buildkit/ssh_agent.0",
    required: mount.required,
    mode: mount.mode ?? 0o600,
    uid: mount.uid ?? 0,
    gid: mount.gid ?? 0,
  };
}

function targetOf(state: StageState, mount: Mount): string {
  const target = posix.resolve("/", state.workdir, mount.target ?? "");
  if (mount.target === undefined || target === "/")
    throw new TareError("E_DF_MOUNT", `invalid mount target "${mount.target ?? ""}"`);
  return target;
}
