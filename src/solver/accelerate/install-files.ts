// SPDX-License-Identifier: Apache-2.0
/* The files that an installer would take, as layers. */
import { Semaphore, digestOfValue, megabytes } from "../../base/index.ts";
import { normalizeName, planLayers } from "../../python/index.ts";
import { broughtPart } from "../imported-steps.ts";
import { cachedLayers, rememberLayers } from "../layer-cache.ts";
import { wheelsWorker } from "../wheels-step.ts";
import type { DiffId } from "../../base/index.ts";
import type { WheelsOp } from "../../graph/index.ts";
import type { Bytecode, DistributionFile, PythonTarget, WheelRef } from "../../python/index.ts";
import type { StepContext } from "../types.ts";
import type { ReportedWheel } from "./pip-report.ts";

/** A distribution and its file. */
export interface FileToInstall extends Pick<ReportedWheel, "name" | "version" | "isRequested" | "direct"> {
  readonly file: DistributionFile;
}

/** Brings the files into the store. Throws as `WheelStore.fetch`. */
export async function fetchFiles(step: StepContext, wheels: readonly FileToInstall[]): Promise<readonly WheelRef[]> {
  const store = await step.resources.python.wheels();
  const total = wheels.length;
  const stored = await store.fetch(
    wheels.map(({ file }) => file),
    { signal: step.signal, onProgress: (current, size) => step.status(`fetching ${total} wheels`, current, size) },
  );
  return wheels.map(({ name, version, isRequested, direct }, index): WheelRef => {
    const { fileName = "", digest, size = 0 } = stored[index] ?? {};
    if (digest === undefined) throw new Error("a fetched wheel has a digest");
    return { name: normalizeName(name), version, fileName, digest, size, isRequested, ...(direct ? { direct } : {}) };
  });
}

/** How files are installed. */
export interface InstallPlace {
  readonly target: PythonTarget;
  readonly bytecode: Bytecode;
  readonly installer: "uv" | undefined;
  /** What else the step did. */
  readonly note: string;
}

/** Makes the layers of files of the store. Throws what making layers throws. */
export async function installFiles(
  step: StepContext,
  refs: readonly WheelRef[],
  place: InstallPlace,
): Promise<readonly DiffId[]> {
  const { layers: budget } = step.resources.python;
  const groups = planLayers(refs, budget === undefined ? {} : { layers: budget });
  // As many at the same time as steps of the graph: each may start a container that compiles.
  const slots = new Semaphore(step.resources.jobs);
  const layers = await Promise.all(groups.map((group) => slots.run(() => groupLayers(step, wheelsOp(place, group)))));
  const size = refs.reduce((sum, ref) => sum + ref.size, 0);
  say(step, `installed ${refs.length} wheels (${megabytes(size)}) as ${groups.length} layers; ${place.note}`);
  return layers.flat();
}

function wheelsOp({ target, bytecode, installer }: InstallPlace, wheels: readonly WheelRef[]): WheelsOp {
  return {
    type: "wheels",
    wheels: wheels.map(({ size: _size, ...wheel }) => wheel),
    scheme: target.scheme,
    executable: target.executable,
    python: target.version,
    bytecode,
    ...(installer === undefined ? {} : { installer }),
  };
}

/** The layer of one group: known, or made as by a step of the graph. */
async function groupLayers(step: StepContext, op: WheelsOp): Promise<readonly DiffId[]> {
  const { platform, label } = step.vertex;
  const vertex = {
    id: digestOfValue(op),
    op,
    inputs: step.vertex.inputs.slice(0, 1),
    label,
    ignoreCache: false,
    ...(platform === undefined ? {} : { platform }),
  };
  const part: StepContext = { ...step, vertex, inputs: step.inputs.slice(0, 1) };
  const key = await wheelsWorker.key(part);
  const { store } = step.resources;
  const known = key && (cachedLayers(store, key) ?? (await broughtPart(part, key)));
  const layers = known ?? (await wheelsWorker.run(part));
  if (key && !known) rememberLayers(store, key, layers);
  step.resources.onResult?.({ keys: key ? [key] : [], layers });
  step.resources.lease.keep(layers);
  return layers;
}

/** A line in the step's own output. */
export function say(step: StepContext, text: string): void {
  step.log(1, Buffer.from(`tare: ${text}\n`));
}
