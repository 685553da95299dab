// SPDX-License-Identifier: Apache-2.0
/*
 * Layers that a build does without. A result lists them as all others; who needs their files brings them first.
 */
import { Once, TareError } from "../base/index.ts";
import { cacheKey } from "../graph/index.ts";
import { cachedLayers } from "./layer-cache.ts";
import { wheelsWorker, writeWheelsBlob } from "./wheels-step.ts";
import type { DiffId } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import type { AbsentLayer, RemoteLayer, StepContext, StepResult } from "./types.ts";

/** Those of `layers` that the inputs are without. */
export function absentLayers(inputs: readonly StepResult[], layers: readonly DiffId[]): Map<DiffId, AbsentLayer> {
  const all = inputs.flatMap((input) => (input.kind === "rootfs" ? [...input.absent] : []));
  return new Map(all.filter(([diffId]) => layers.includes(diffId)));
}

/** Brings what a step needs of its inputs: all of their files. */
export async function bringAll(store: Store, inputs: readonly StepResult[]): Promise<void> {
  const absent = inputs.flatMap((input) => (input.kind === "rootfs" ? [...input.absent.values()] : []));
  await Promise.all(absent.filter(({ diffId }) => !store.layers.get(diffId)).map(({ bring }) => bring()));
}

/** The layer of a step of wheels when a registry has it; `make` makes it when its files are needed after all. */
export async function absentWheels(
  step: StepContext,
  make: () => Promise<readonly DiffId[]>,
): Promise<AbsentLayer | undefined> {
  const { vertex, resources } = step;
  const { store, remote } = resources;
  if (vertex.op.type !== "wheels" || vertex.ignoreCache || remote === undefined) return undefined;
  const key = cacheKey(vertex, []);
  if (cachedLayers(store, key)) return undefined;
  const layer = await remote.wheels(key);
  return layer && broughtOnce(step, layer, make);
}

/**
 * The layer of a step of wheels that goes to a registry and nowhere else: its blob is made of the wheels, and its files
 * are not written, which is most of the work.
 */
export async function sentWheels(
  step: StepContext,
  make: () => Promise<readonly DiffId[]>,
): Promise<AbsentLayer | undefined> {
  const { vertex, resources, inputs } = step;
  const { store, remote } = resources;
  if (vertex.op.type !== "wheels" || remote === undefined) return undefined;
  const key = await wheelsWorker.key(step);
  if (key === undefined || (!vertex.ignoreCache && cachedLayers(store, key))) return undefined;
  if (vertex.op.bytecode !== "none") await bringAll(store, inputs);
  const layer = await remote.take(key, (path) => writeWheelsBlob(step, path));
  return broughtOnce(step, layer, make);
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
