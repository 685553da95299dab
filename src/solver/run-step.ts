// SPDX-License-Identifier: Apache-2.0
/*
 * RUN. The input's layers are the lower directories of an overlay whose upper directory is the new layer: nothing is
 * copied or compared afterwards. Mount points that the runtime had to make, and nobody used, are taken out again.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { TareError, ensureDirectory, isTareError, removeTree } from "../base/index.ts";
import { cacheKey, chainDigest } from "../graph/index.ts";
import {
  buildSpec,
  cgroupMode,
  checkRootfs,
  hostCapabilities,
  lookupUser,
  prepareEtcFiles,
  runForeground,
} from "../runtime/index.ts";
import { TreeView, readFileInTree } from "../store/index.ts";
import { finishLayer } from "./layer.ts";
import { normaliseTimes } from "./normalise.ts";
import { baseLayers, rootfsOf } from "./results.ts";
import { lowerOf } from "./run-lower.ts";
import { prepareMounts } from "./run-mounts.ts";
import { MountStubs } from "./run-stubs.ts";
import { newRunFolder, runState } from "./stale-runs.ts";
import { refuseLeakedSecrets } from "./secret-scan.ts";
import type { DiffId } from "../base/index.ts";
import type { RunOp } from "../graph/index.ts";
import type { OciSpec } from "../runtime/index.ts";
import type { LayerStaging } from "../store/index.ts";
import type { PreparedMounts } from "./run-mounts.ts";
import type { StepContext, StepWorker } from "./types.ts";

/** RUN in a container with the image's root file system. */
export const runWorker: StepWorker = {
  base: baseLayers,
  key: (step) => {
    const inputs = step.inputs.map((input) => chainDigest(rootfsOf(input).layers));
    return cacheKey(step.vertex, inputs, step.resources.isEpochChosen ? { epoch: step.resources.epoch } : {});
  },
  run: async (step) => {
    checkEntitlements(runOp(step), step.resources.allow);
    const bundle = newRunFolder(step.resources.runRoot, step.resources.lease);
    ensureDirectory(bundle);
    const staging = step.resources.store.layers.stage();
    try {
      const mounts = await prepareMounts(step, runOp(step), bundle);
      try {
        return [await runInContainer(step, { bundle, staging, mounts })];
      } finally {
        await mounts.release();
      }
    } catch (error) {
      staging.discard();
      throw stepFailure(error);
    } finally {
      removeTree(bundle);
    }
  },
};

interface RunPlace {
  readonly bundle: string;
  readonly staging: LayerStaging;
  readonly mounts: PreparedMounts;
}

async function runInContainer(step: StepContext, place: RunPlace): Promise<DiffId> {
  const op = runOp(step);
  const { resources } = step;
  const layers = resources.store.layers.getAll(baseLayers(step));
  const tree = new TreeView(layers);
  const read = (path: string): Buffer | undefined => readFileInTree(tree, path);
  checkRootfs((path) => tree.lookup(path.replace(/^\/+/, ""))?.stats);
  const id = `tare-build-${randomBytes(8).toString("hex")}`;
  const rootfs = join(place.bundle, "rootfs");
  ensureDirectory(rootfs);
  const spec = specOf(op, place, { id, rootfs, user: lookupUser(read, op.user) });
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
      { target: rootfs, lower: lowerOf(layers), upper: place.staging.tree, work: place.staging.work },
      ...place.mounts.overlays,
    ],
    spec,
    stdio: { stdin: "ignore", onOutput: step.log },
    signal: step.signal,
    dieWithParent: true,
  });
  if (exitCode !== 0) throw failure(op, exitCode, resources.store.freeSpace());
  stubs.remove(place.staging.tree);
  if (!resources.allow.has("secrets.in-layer")) refuseLeakedSecrets(place.staging.tree, place.mounts.secrets);
  const { epoch, isEpochChosen } = resources;
  normaliseTimes(place.staging.tree, { after: isEpochChosen ? epoch : started - 1, to: epoch });
  return finishLayer(place.staging, { xattrs: true, signal: step.signal });
}

/** Like any step that fails, one that can't be started ends the build with exit code 1; `run` has others. */
function stepFailure(error: unknown): unknown {
  if (!isTareError(error) || error.code === "E_ABORTED") return error;
  const { code, message, hint, details } = error;
  return new TareError(code, message, { ...(hint === undefined ? {} : { hint }), details, cause: error.cause });
}

interface RunIdentity {
  readonly id: string;
  readonly rootfs: string;
  readonly user: ReturnType<typeof lookupUser>;
}

const HOSTNAME = "buildkitsandbox";

function specOf(op: RunOp, place: RunPlace, who: RunIdentity): OciSpec {
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
    resources: { pidsLimit: PIDS_LIMIT },
    ...(op.shmSize ? { shmSize: op.shmSize } : {}),
  });
}

const PIDS_LIMIT = 8192;

function runOp(step: StepContext): RunOp {
  const { op } = step.vertex;
  if (op.type !== "run") throw new Error("not a run step");
  return op;
}

function checkEntitlements(op: RunOp, allow: ReadonlySet<string>): void {
  if (op.security === "insecure" && !allow.has("security.insecure"))
    throw notAllowed("RUN --security=insecure", "security.insecure");
  if (op.network === "host" && !allow.has("network.host")) throw notAllowed("RUN --network=host", "network.host");
  const device = op.devices.find((wanted) => wanted.required);
  if (device) {
    throw new TareError("E_UNSUPPORTED", `RUN --device=${device.name}: devices in build steps are not supported yet`, {
      hint: "drop `,required` to build without the device",
    });
  }
}

function notAllowed(what: string, entitlement: string): TareError {
  return new TareError("E_ENTITLEMENT", `${what}: ${entitlement} is not allowed`, {
    hint: `build with \`--allow ${entitlement}\` if you trust this Dockerfile`,
  });
}

function failure(op: RunOp, exitCode: number, freeSpace: number): TareError {
  const command = op.args.join(" ");
  const hint = freeSpace < NEARLY_FULL ? "the store's disk is full: see `tare system prune`" : hintFor(exitCode);
  return new TareError("E_RUN_FAILED", `process "${command}" did not complete successfully: exit code: ${exitCode}`, {
    hint,
    details: { exitCode },
  });
}

const NEARLY_FULL = 1024 * 1024;

function hintFor(exitCode: number): string {
  if (exitCode === 127)
    return "the command was not found in the image: install it in an earlier step or use another base";
  if (exitCode === 137) return "it was killed, perhaps for lack of memory: the kernel's log (`dmesg`) tells";
  return "the step's whole output is above";
}
