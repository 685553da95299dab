// SPDX-License-Identifier: Apache-2.0
import { wheelLayer } from "../../python/index.ts";
import type { WheelLayer } from "../../python/index.ts";
import type { Digest } from "../../base/index.ts";
import type { Layer, Store } from "../../store/index.ts";
import type { GpuPackage, ImageNeeds } from "../types.ts";
import { readLayerTree } from "./layer-tree.ts";
import { layerMemo, wheelMemo } from "./memo.ts";
import { isSeen } from "./seen.ts";
import { needsOfWheels } from "./wheels.ts";
import type { InstalledPackage, LayerNeeds, NeedsOptions, NeedsSubject } from "./types.ts";

const ASKING = /^(?:NVIDIA_|CUDA_|NV_CUDNN_VERSION$|LD_LIBRARY_PATH$|(?:AMD|ROCR|HIP)_VISIBLE_DEVICES$)/;

/**
 * What an image of the store needs of a machine's GPUs. Trees are looked through once and remembered by layer; layers
 * of wheels whose trees are still to be made are read from their wheels. Throws `E_LAYER_MISSING`, `E_IO`, `E_ABORTED`.
 */
export async function needsOfImage(
  store: Store,
  { image, env, diffIds }: NeedsSubject,
  options: NeedsOptions = {},
): Promise<ImageNeeds> {
  // All of them first, so that large ones are read at the same time, whichever layers they are in.
  await needsOfWheels(
    store,
    diffIds.flatMap((diffId) => wheelsWithoutTree(store, diffId)?.wheels ?? []),
    options,
  );
  const layers: FoundLayer[] = [];
  for (const diffId of diffIds) layers.push(await readLayer(store, diffId, options));
  const asking = askingVariables(env);
  const toolkit = newest(seenOf(layers, ({ toolkits }) => toolkits)) ?? asking["CUDA_VERSION"];
  const [libc] = seenOf(layers, (one) => one.libc).toSorted((a, b) => (a.kind < b.kind ? -1 : 1));
  const compat = seenOf(layers, (one) => one.compat).at(-1);
  return {
    image,
    env: asking,
    packages: packagesOf(layers),
    ...(toolkit === undefined || toolkit === "" ? {} : { toolkit }),
    ...(libc === undefined ? {} : { libc: libc.kind }),
    ...(compat === undefined ? {} : { compat: compat.facts }),
  };
}

/** Whether all that an image needs was read before, so that asking takes no time. */
export function areNeedsKnown(store: Store, { diffIds }: Pick<NeedsSubject, "diffIds">): boolean {
  const [layers, wheels] = [layerMemo(store), wheelMemo(store)];
  return diffIds.every((diffId) => {
    if (store.layers.get(diffId) !== undefined) return layers.get(diffId) !== undefined;
    const made = wheelsWithoutTree(store, diffId)?.wheels ?? [];
    return made.every(({ digest }) => wheels.get(digest) !== undefined || !store.blobs.has(digest));
  });
}

/** A layer and what is in it. */
interface FoundLayer {
  readonly needs: LayerNeeds;
  /** Absent for a layer of wheels that is not unpacked: it hides nothing. */
  readonly layer: Layer | undefined;
}

async function readLayer(store: Store, diffId: Digest, options: NeedsOptions): Promise<FoundLayer> {
  const wheels = wheelsWithoutTree(store, diffId);
  if (wheels !== undefined) return { layer: undefined, needs: await readWheelLayer(store, wheels, options) };
  const memo = layerMemo(store);
  const [present] = store.layers.getAll([diffId]);
  const known = memo.get(diffId);
  if (known !== undefined || present === undefined) return { layer: present, needs: known ?? NOTHING };
  const needs = await readLayerTree(present, options);
  memo.put(diffId, needs);
  return { layer: present, needs };
}

function wheelsWithoutTree(store: Store, diffId: Digest): WheelLayer | undefined {
  return store.layers.get(diffId) === undefined ? wheelLayer(store, diffId) : undefined;
}

const NOTHING: LayerNeeds = { packages: [], toolkits: [], compat: [], libc: [] };

async function readWheelLayer(
  store: Store,
  { wheels, settings }: WheelLayer,
  options: NeedsOptions,
): Promise<LayerNeeds> {
  const packages = await needsOfWheels(store, wheels, options);
  const site = settings.scheme.platlib.replace(/^\//, "");
  const installed = packages.map((one): InstalledPackage => {
    return { path: `${site}/${one.name.replaceAll("-", "_")}-${one.version}.dist-info`, package: one };
  });
  return { ...NOTHING, packages: installed };
}

function askingVariables(env: readonly string[]): Readonly<Record<string, string>> {
  const pairs = env.map((text): readonly [string, string] => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(pairs.filter(([name]) => ASKING.test(name)));
}

/** What the layers have and no layer above hides, lowest first. */
function seenOf<T extends { readonly path: string }>(
  layers: readonly FoundLayer[],
  pick: (needs: LayerNeeds) => readonly T[],
): readonly T[] {
  return layers.flatMap(({ needs }, index) => {
    const above = layers.slice(index + 1).flatMap(({ layer }) => layer ?? []);
    return pick(needs).filter(({ path }) => isSeen(path, above));
  });
}

function packagesOf(layers: readonly FoundLayer[]): readonly GpuPackage[] {
  const seen = seenOf(layers, ({ packages }) => packages);
  const byTitle = new Map<string, GpuPackage>();
  for (const { package: one } of seen) {
    const title = `${one.name} ${one.version}`;
    // A layer that touched some files of a distribution knows less of it than the one that brought it.
    if (one.kernels !== undefined || byTitle.get(title)?.kernels === undefined) byTitle.set(title, one);
  }
  return [...byTitle.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function newest(toolkits: LayerNeeds["toolkits"]): string | undefined {
  return toolkits.toSorted((a, b) => compareNumbers(a.version, b.version)).at(-1)?.version;
}

function compareNumbers(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
