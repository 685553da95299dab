// SPDX-License-Identifier: Apache-2.0
/*
 * RUN. The input's layers are the lower directories of an overlay whose upper directory is the new layer: nothing is
 * copied or compared afterwards.
 */
import { TareError, isTareError } from "../base/index.ts";
import { cacheKey, chainDigest } from "../graph/index.ts";
import { accelerate } from "./accelerate/accelerate.ts";
import { assess } from "./accelerate/assess.ts";
import { say } from "./accelerate/install-files.ts";
import { finishLayer } from "./layer.ts";
import { normaliseTimes } from "./normalise.ts";
import { baseLayers, rootfsOf } from "./results.ts";
import { deviceNames } from "./run-devices.ts";
import { runInContainer } from "./run-container.ts";
import { refuseLeakedSecrets } from "./secret-scan.ts";
import type { DiffId } from "../base/index.ts";
import type { RunOp } from "../graph/index.ts";
import type { LayerStaging } from "../store/index.ts";
import type { StepContext, StepWorker } from "./types.ts";

/** RUN in a container with the image's root file system. */
export const runWorker: StepWorker = {
  base: baseLayers,
  key: async (step) => {
    const { isEpochChosen, epoch, python } = step.resources;
    const inputs = step.inputs.map((input) => chainDigest(rootfsOf(input).layers));
    const candidate = python.accelerate ? assess(runOp(step)) : undefined;
    const { layers, bytecode } = python;
    const devices = await deviceNames(step, runOp(step));
    return cacheKey(step.vertex, inputs, {
      ...(devices.length === 0 ? {} : { devices }),
      ...(isEpochChosen ? { epoch } : {}),
      ...(candidate && "installs" in candidate ? { accelerated: { layers, bytecode } } : {}),
    });
  },
  run: async (step) => {
    checkEntitlements(runOp(step), step.resources.allow);
    const accelerated = await tryAccelerate(step);
    if (accelerated) return accelerated;
    return [await runAsWritten(step, runOp(step))];
  },
};

/** The layers of a step that only installs wheels; undefined when it has to run, which the step's output explains. */
async function tryAccelerate(step: StepContext): Promise<readonly DiffId[] | undefined> {
  const op = runOp(step);
  const assessment = step.resources.python.accelerate ? assess(op) : undefined;
  if (assessment === undefined) return undefined;
  const result =
    "installs" in assessment
      ? await accelerate(step, op, { candidate: assessment, runPart: runAsWritten })
      : assessment;
  if ("layers" in result) return result.layers;
  say(step, `runs as written: ${result.reason}`);
  return undefined;
}

async function runAsWritten(step: StepContext, op: RunOp): Promise<DiffId> {
  const staging = step.resources.store.layers.stage();
  try {
    return await runInto(staging, step, op);
  } catch (error) {
    staging.discard();
    throw stepFailure(error);
  }
}

async function runInto(staging: LayerStaging, step: StepContext, op: RunOp): Promise<DiffId> {
  const { resources } = step;
  const layers = baseLayers(step);
  const ended = await runInContainer(step, { op, layers, upper: staging, onOutput: step.log });
  if (ended.exitCode !== 0) throw failure(op, ended.exitCode, resources.store.freeSpace());
  if (!resources.allow.has("secrets.in-layer")) refuseLeakedSecrets(staging.tree, ended.secrets);
  const { epoch, isEpochChosen } = resources;
  normaliseTimes(staging.tree, { after: isEpochChosen ? epoch : ended.started - 1, to: epoch });
  return finishLayer(staging, { xattrs: true, signal: step.signal });
}

/** Like any step that fails, one that can't be started ends the build with exit code 1; `run` has others. */
function stepFailure(error: unknown): unknown {
  if (!isTareError(error) || error.code === "E_ABORTED") return error;
  const { code, message, hint, details } = error;
  return new TareError(code, message, { ...(hint === undefined ? {} : { hint }), details, cause: error.cause });
}

function runOp(step: StepContext): RunOp {
  const { op } = step.vertex;
  if (op.type !== "run") throw new Error("not a run step");
  return op;
}

function checkEntitlements(op: RunOp, allow: ReadonlySet<string>): void {
  if (op.security === "insecure" && !allow.has("security.insecure"))
    throw notAllowed("RUN --security=insecure", "security.insecure");
  if (op.network === "host" && !allow.has("network.host")) throw notAllowed("RUN --network=host", "network.host");
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
