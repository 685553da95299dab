// SPDX-License-Identifier: Apache-2.0
/*
 * Layers that a build does without. A result lists them as all others; who needs their files brings them first.
 */
import { Once, TareError } from "../base/index.ts";
import { cacheKey } from "../graph/index.ts";
import { expectWheelLayers, unpackDeferred } from "../python/index.ts";
import { cachedLayers, rememberLayers } from "./layer-cache.ts";
import { wheelsWorker, writeKnownBlob, writeWheelsBlob } from "./wheels-step.ts";
import type { DiffId, Digest } from "../base/index.ts";
import type { WheelsOp } from "../graph/index.ts";
import type { AbsentLayer, RemoteLayer, RemoteLayers, StepContext, StepResult } from "./types.ts";

/** Those of `layers` that the inputs are without. */
export function absentLayers(inputs: readonly StepResult[], layers: readonly DiffId[]): Map<DiffId, AbsentLayer> {
  const all = inputs.flatMap((input) => (input.kind === "rootfs" ? [...input.absent] : []));
  return new Map(all.filter(([diffId]) => layers.includes(diffId)));
}

/** Brings what a step needs of its inputs: all of their files. */
export async function bringAll({ resources, signal }: StepContext, inputs: readonly StepResult[]): Promise<void> {
  const { store } = resources;
  const trees = inputs.filter((input) => input.kind === "rootfs");
  const absent = trees.flatMap((input) => [...input.absent.values()]);
  await Promise.all(absent.filter(({ diffId }) => !store.layers.facts(diffId)).map(({ bring }) => bring()));
  const layers = trees.flatMap((input) => input.layers);
  await unpackDeferred({ store, wheels: resources.python.wheels }, layers, signal);
}

/** The layer of a step of wheels when a registry has it; `make` makes it when its files are needed after all. */
export async function absentWheels(
  step: StepContext,
  make: () => Promise<readonly DiffId[]>,
): Promise<AbsentLayer | undefined> {
  const unmade = unmadeWheels(step);
  if (!unmade) return undefined;
  const { key, remote } = unmade;
  expectWheelLayers();
  const layer = await remote.wheels(key);
  return layer && broughtOnce(step, layer, make);
}

/**
 * The layer of a step of wheels of which the lock has the facts, when it goes to a registry that lacks it: the wheels'
 * compressed bytes are taken over and nothing is measured, since the blob shows that it is the layer that was meant.
 */
export async function lockedWheels(
  step: StepContext,
  make: () => Promise<readonly DiffId[]>,
): Promise<AbsentLayer | undefined> {
  const unmade = unmadeWheels(step);
  if (!unmade) return undefined;
  const { key, remote, bytecode } = unmade;
  const layer = await remote.takeLocked(key, async (path) => {
    if (bytecode !== "none") await bringAll(step, step.inputs);
    return writeKnownBlob(step, path);
  });
  return layer && broughtOnce(step, layer, make);
}

/**
 * The layer of a step of wheels that goes to a registry: its blob is made while it is measured, and waits for the push.
 * Undefined when it was made before.
 */
export async function sentWheels(step: StepContext): Promise<DiffId | undefined> {
  const { vertex, resources, inputs } = step;
  const { store, remote } = resources;
  if (vertex.op.type !== "wheels" || remote === undefined) return undefined;
  const key = await wheelsWorker.key(step);
  if (key === undefined || (!vertex.ignoreCache && cachedLayers(store, key))) return undefined;
  if (vertex.op.bytecode !== "none") await bringAll(step, inputs);
  const made = await remote.take(key, (path, onBlob) => writeWheelsBlob(step, path, onBlob));
  rememberLayers(store, key, [made]);
  return made;
}

interface UnmadeWheels {
  readonly key: Digest;
  readonly remote: RemoteLayers;
  readonly bytecode: WheelsOp["bytecode"];
}

/** A step of wheels that a registry may save from being made; undefined where there is none, or when it was made before. */
function unmadeWheels({ vertex, resources }: StepContext): UnmadeWheels | undefined {
  const { store, remote } = resources;
  if (vertex.op.type !== "wheels" || vertex.ignoreCache || remote === undefined) return undefined;
  const key = cacheKey(vertex, []);
  return cachedLayers(store, key) ? undefined : { key, remote, bytecode: vertex.op.bytecode };
}

function broughtOnce(step: StepContext, layer: RemoteLayer, make: () => Promise<readonly DiffId[]>): AbsentLayer {
  const once = new Once<void>();
  const bring = async (): Promise<void> => {
    const [made] = await make();
    if (made !== layer.diffId) throw cannotCompile(step);
  };
  return { ...layer, bring: () => once.run(layer.diffId, bring) };
}

/** A claim that is wrong was thrown when the layer was made: this one was made without bytecode. */
function cannotCompile({ vertex }: StepContext): TareError {
  return new TareError(
    "E_BYTECODE",
    `making the layer of \`${vertex.label}\`: the registry has it with compiled modules`,
    {
      hint: "compile here as root or with a Python of the image's version, or build with `--bytecode none`",
    },
  );
}
