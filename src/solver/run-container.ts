// SPDX-License-Identifier: Apache-2.0
/*
 * One command in a container of a build step: the layers are the lower directories of an overlay whose upper directory
 * is the caller's. Mount points that the runtime had to make, and nobody used, are taken out of it again.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { ensureDirectory, removeTree } from "../base/index.ts";
import {
  buildSpec,
  cgroupMode,
  checkRootfs,
  hostCapabilities,
  lookupUser,
  namespaceLimits,
  prepareEtcFiles,
  runForeground,
} from "../runtime/index.ts";
import { TreeView, readFileInTree } from "../store/index.ts";
import { stepDevices } from "./run-devices.ts";
import { lowerOf } from "./run-lower.ts";
import { prepareMounts } from "./run-mounts.ts";
import { MountStubs } from "./run-stubs.ts";
import { newRunFolder, runState } from "./stale-runs.ts";
import type { DiffId } from "../base/index.ts";
import type { CdiResolution } from "../gpu/index.ts";
import type { RunOp } from "../graph/index.ts";
import type { OciSpec, SpecMount } from "../runtime/index.ts";
import type { LayerStaging } from "../store/index.ts";
import type { KnownSecret } from "./secret-scan.ts";
import type { PreparedMounts } from "./run-mounts.ts";
import type { StepContext } from "./types.ts";

/** What runs, and on what. */
export interface ContainerCommand {
  readonly op: RunOp;
  /** Lowest first. */
  readonly layers: readonly DiffId[];
  /** Where changes go. */
  readonly upper: Pick<LayerStaging, "tree" | "work">;
  /** Besides those of the operation. */
  readonly mounts?: readonly SpecMount[];
  readonly onOutput: (stream: 1 | 2, data: Uint8Array) => void;
}

/** A command that has ended. */
export interface EndedCommand {
  readonly exitCode: number;
  /** Seconds since the epoch. */
  readonly started: number;
  /** Values that the command could see and must not keep. */
  readonly secrets: readonly KnownSecret[];
}

/** Runs a command to its end. Throws what mounts and the runtime throw; an exit code is not an error. */
export async function runInContainer(step: StepContext, command: ContainerCommand): Promise<EndedCommand> {
  const bundle = newRunFolder(step.resources.runRoot, step.resources.lease);
  ensureDirectory(bundle);
  try {
    const mounts = await prepareMounts(step, command.op, bundle);
    try {
      return await runMounted(step, command, { bundle, mounts });
    } finally {
      await mounts.release();
    }
  } finally {
    removeTree(bundle);
  }
}

interface RunPlace {
  readonly bundle: string;
  readonly mounts: PreparedMounts;
}

async function runMounted(step: StepContext, command: ContainerCommand, place: RunPlace): Promise<EndedCommand> {
  const { op, upper } = command;
  const { resources } = step;
  const layers = resources.store.layers.getAll(command.layers);
  const tree = new TreeView(layers);
  const read = (path: string): Buffer | undefined => readFileInTree(tree, path);
  checkRootfs((path) => tree.lookup(path.replace(/^\/+/, ""))?.stats);
  const id = `tare-build-${randomBytes(8).toString("hex")}`;
  const rootfs = join(place.bundle, "rootfs");
  ensureDirectory(rootfs);
  const mounts = [...place.mounts.mounts, ...(command.mounts ?? [])];
  const plain = specOf(
    op,
    { ...place, mounts: { ...place.mounts, mounts } },
    { id, rootfs, user: lookupUser(read, op.user) },
  );
  const devices = await stepDevices(step, op);
  const spec = devices === undefined ? plain : await withDevices(plain, devices);
  const stubs = new MountStubs(
    tree,
    spec.mounts.map((mount) => mount.destination),
  );
  const started = Math.floor(Date.now() / 1000);
  const { exitCode } = await runForeground({
    runtime: await resources.runtime(),
    id,
    bundle: place.bundle,
    stateRoot: runState(place.bundle),
    storeRoot: resources.store.root,
    overlays: [
      { target: rootfs, lower: lowerOf(layers), upper: upper.tree, work: upper.work },
      ...place.mounts.overlays,
    ],
    spec,
    stdio: { stdin: "ignore", onOutput: command.onOutput },
    signal: step.signal,
    dieWithParent: true,
  });
  stubs.remove(upper.tree);
  return { exitCode, started, secrets: place.mounts.secrets };
}

async function withDevices(spec: OciSpec, devices: CdiResolution): Promise<OciSpec> {
  const { giveDevices } = await import("../gpu/index.ts");
  return giveDevices(spec, devices, { namespace: namespaceLimits() });
}

interface RunIdentity {
  readonly id: string;
  readonly rootfs: string;
  readonly user: ReturnType<typeof lookupUser>;
}

const HOSTNAME = "buildkitsandbox";

function specOf(op: RunOp, place: RunPlace, who: RunIdentity): OciSpec {
  const namespace = namespaceLimits();
  const hostname = op.hostname ?? HOSTNAME;
  const network = op.network === "none" ? "none" : "host";
  const etc = prepareEtcFiles(place.bundle, { hostname, extraHosts: op.extraHosts ?? [], network });
  const home = op.env.some((entry) => entry.startsWith("HOME=")) ? [] : [`HOME=${who.user.home ?? "/"}`];
  return buildSpec({
    mode: "build",
    args: op.args,
    env: [...op.env, ...home, ...place.mounts.env],
    cwd: op.cwd,
    user: who.user,
    rlimits: op.ulimits ?? [],
    ...(op.security === "insecure" ? { privileged: true, knownCapabilities: hostCapabilities() } : {}),
    noNewPrivileges: false,
    rootfs: who.rootfs,
    hostname,
    network,
    mounts: [...etc, ...place.mounts.mounts],
    cgroupMode: cgroupMode(),
    cgroupsPath: `${op.cgroupParent ?? "/tare"}/${who.id}`,
    resources: namespace?.hasCgroups === false ? {} : { pidsLimit: PIDS_LIMIT },
    namespace,
    ...(op.shmSize ? { shmSize: op.shmSize } : {}),
  });
}

const PIDS_LIMIT = 8192;
