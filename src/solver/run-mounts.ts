// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, canGiveFiles, ensureDirectory, hexOf, removeTree } from "../base/index.ts";
import { chainDigest } from "../graph/index.ts";
import { TreeView, resolveInTree } from "../store/index.ts";
import { takeCache } from "./cache-mounts.ts";
import { cleanPath } from "./copy-plan.ts";
import { fillFolder } from "./fill-folder.ts";
import { rootfsOf } from "./results.ts";
import { lowerOf } from "./run-lower.ts";
import { openAgentProxy } from "./ssh-proxy.ts";
import type { RunMount, RunOp } from "../graph/index.ts";
import type { OverlayMount, SpecMount } from "../runtime/index.ts";
import type { KnownSecret } from "./secret-scan.ts";
import type { StepContext } from "./types.ts";

/** Everything mounted for one step. */
export interface PreparedMounts {
  /** Overlays to be made in the step's private mount namespace before the container. */
  readonly overlays: readonly OverlayMount[];
  readonly mounts: readonly SpecMount[];
  /** Absolute mount points inside the root file system. */
  readonly targets: readonly string[];
  /** `NAME=value` from secrets. */
  readonly env: readonly string[];
  /** Values that the step can see and must not keep. */
  readonly secrets: readonly KnownSecret[];
  release(): Promise<void>;
}

interface Builder {
  readonly step: StepContext;
  readonly bundle: string;
  readonly overlays: OverlayMount[];
  readonly mounts: SpecMount[];
  readonly env: string[];
  readonly secrets: KnownSecret[];
  readonly releases: (() => void | Promise<void>)[];
}

type Of<Type extends RunMount["type"]> = Extract<RunMount, { type: Type }>;

/** Gets the mounts of a step ready. The caller calls `release` after the container. Throws `E_SECRET`, `E_SSH`, `E_MOUNT`. */
export async function prepareMounts(step: StepContext, op: RunOp, bundle: string): Promise<PreparedMounts> {
  const builder: Builder = { step, bundle, overlays: [], mounts: [], env: [], secrets: [], releases: [] };
  const release = async (): Promise<void> => {
    for (const undo of builder.releases.toReversed()) await undo();
  };
  try {
    for (const [index, mount] of op.mounts.entries()) await prepareOne(builder, mount, index);
    for (const [index, script] of (op.scripts ?? []).entries()) addScript(builder, script, index);
  } catch (error) {
    await release();
    throw error;
  }
  // Of two mounts at one place the later one counts, as in BuildKit.
  const mounts = [...new Map(builder.mounts.map((mount) => [mount.destination, mount])).values()];
  return {
    overlays: builder.overlays,
    mounts,
    env: builder.env,
    secrets: builder.secrets,
    targets: mounts.map((mount) => mount.destination),
    release,
  };
}

function prepareOne(builder: Builder, mount: RunMount, index: number): Promise<void> | void {
  switch (mount.type) {
    case "bind":
      return addBind(builder, mount, index);
    case "cache":
      return addCache(builder, mount);
    case "tmpfs":
      return addTmpfs(builder, mount);
    case "secret":
      return addSecret(builder, mount, index);
    case "ssh":
      return addAgent(builder, mount, index);
  }
}

/** Another step's file system; writes go to a folder that is thrown away. */
function addBind(builder: Builder, mount: Of<"bind">, index: number): void {
  const { store } = builder.step.resources;
  const input = builder.step.inputs[mount.from];
  if (!input) throw new Error(`run step has no input ${mount.from}`);
  const layers = store.layers.getAll(rootfsOf(input).layers);
  const tree = new TreeView(layers);
  const source = resolveInTree(tree, mount.source);
  if (!tree.lookup(source)) {
    throw new TareError("E_MOUNT", `mounting \`${mount.source}\` at \`${mount.target}\`: "/${source}": not found`, {
      hint: "look at the mount's `source` and `from`, and at .dockerignore",
    });
  }
  const target = join(builder.bundle, `mount-${index}`);
  ensureDirectory(target, 0o755);
  builder.overlays.push({ target, lower: lowerOf(layers), ...(mount.writable ? scratchUpper(builder) : {}) });
  const options = ["rbind", mount.writable ? "rw" : "ro"];
  builder.mounts.push({ destination: mount.target, type: "bind", source: join(target, source), options });
}

function scratchUpper(builder: Builder): { readonly upper: string; readonly work: string } {
  const staging = builder.step.resources.store.layers.stage();
  builder.releases.push(() => staging.discard());
  return { upper: staging.tree, work: staging.work };
}

async function addCache(builder: Builder, mount: Of<"cache">): Promise<void> {
  const { step } = builder;
  const from = mount.from === undefined ? undefined : step.inputs[mount.from];
  const taken = await takeCache(step.resources.store.cacheMounts, {
    id: from ? `${mount.id} from ${hexOf(chainDigest(rootfsOf(from).layers)).slice(0, 12)}` : mount.id,
    sharing: mount.sharing,
    mode: mount.mode,
    uid: mount.uid,
    gid: mount.gid,
    signal: step.signal,
    ...(from ? { fill: (folder: string) => fillFolder(step, rootfsOf(from).layers, folder) } : {}),
  });
  builder.releases.push(() => taken.release());
  const source = subFolder(taken.folder, mount);
  const options = ["rbind", mount.readonly ? "ro" : "rw"];
  builder.mounts.push({ destination: mount.target, type: "bind", source, options });
}

/** `source=` inside a cache: real directories only, so that a link left there by another build leads nowhere. */
function subFolder(folder: string, mount: Of<"cache">): string {
  let path = folder;
  for (const name of cleanPath(mount.source)
    .split("/")
    .filter((part) => part !== "")) {
    path = join(path, name);
    if (!fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      throw new TareError(
        "E_MOUNT",
        `mounting cache \`${mount.id}\` at \`${mount.target}\`: \`${mount.source}\` in it is not a directory`,
      );
    }
  }
  return path;
}

function addTmpfs(builder: Builder, mount: Of<"tmpfs">): void {
  const size = mount.size ? [`size=${mount.size}`] : [];
  builder.mounts.push({ destination: mount.target, type: "tmpfs", options: ["exec", "dev", ...size] });
}

function addSecret(builder: Builder, mount: Of<"secret">, index: number): void {
  const value = builder.step.resources.secrets.get(mount.id)?.();
  if (value === undefined) {
    if (!mount.required) return;
    throw new TareError("E_SECRET", `secret ${mount.id}: not found`, {
      hint: `give it with \`--secret id=${mount.id},src=FILE\` (or \`env=NAME\`)`,
    });
  }
  builder.secrets.push({ id: mount.id, value });
  if (mount.env !== undefined) builder.env.push(`${mount.env}=${value.toString("utf8")}`);
  if (mount.target === undefined) return;
  const source = join(builder.bundle, `secret-${index}`);
  writeOwned(source, value, mount);
  builder.releases.push(() => removeTree(source));
  builder.mounts.push({
    destination: mount.target,
    type: "bind",
    source,
    options: ["bind", "ro", "nosuid", "nodev", "noexec"],
  });
}

function writeOwned(
  path: string,
  content: Buffer | string,
  look: { readonly mode: number; readonly uid: number; readonly gid: number },
): void {
  fs.writeFileSync(path, content, { mode: 0o600, flag: "wx" });
  if (canGiveFiles()) fs.chownSync(path, look.uid, look.gid);
  fs.chmodSync(path, look.mode);
}

async function addAgent(builder: Builder, mount: Of<"ssh">, index: number): Promise<void> {
  const agent = builder.step.resources.agents.get(mount.id);
  if (agent === undefined) {
    if (!mount.required) return;
    throw new TareError("E_SSH", `ssh agent ${mount.id}: not found`, {
      hint: `start an agent and build with \`--ssh ${mount.id}\``,
    });
  }
  const source = join(builder.bundle, `ssh-${index}`);
  const proxy = await openAgentProxy(agent, source, mount);
  builder.releases.push(() => proxy.close());
  if (!builder.env.some((entry) => entry.startsWith("SSH_AUTH_SOCK=")))
    builder.env.push(`SSH_AUTH_SOCK=${mount.target}`);
  builder.mounts.push({ destination: mount.target, type: "bind", source, options: ["bind", "rw", "nosuid", "nodev"] });
}

function addScript(builder: Builder, script: { readonly path: string; readonly content: string }, index: number): void {
  const source = join(builder.bundle, `script-${index}`);
  writeOwned(source, script.content, { mode: 0o755, uid: 0, gid: 0 });
  builder.mounts.push({ destination: script.path, type: "bind", source, options: ["bind", "ro"] });
}
