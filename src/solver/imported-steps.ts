// SPDX-License-Identifier: Apache-2.0
/*
 * Steps that somebody else ran: a cache that was named says which layers they made. The layers are absent until
 * something needs their files. What can't be had then is forgotten, and the graph is solved again without it: that step
 * runs, and what was done meanwhile is in the build cache.
 */
import { isTareError } from "../base/index.ts";
import type { DiffId, Digest, ErrorCode } from "../base/index.ts";
import { cacheKey } from "../graph/index.ts";
import { MEDIA_TYPES } from "../oci/index.ts";
import { knownLayer, noteClaim, unpackDeferred } from "../python/index.ts";
import { cachedLayers, rememberLayers } from "./layer-cache.ts";
import type { WheelLayerFacts } from "../python/index.ts";
import type { AbsentLayer, ImportedLayer, StepContext } from "./types.ts";

/** Thrown through a solver when an answer turned out to be of no use: solving again does without it. */
export class ForgottenStep extends Error {}

/** What a cache says of a step. */
export interface ImportedResult {
  /** Lowest first. */
  readonly layers: readonly DiffId[];
  /** Those of them that are not here. */
  readonly absent: readonly AbsentLayer[];
}

/** What a cache says of the step with this key. */
export function importedResult(step: StepContext, key: Digest): ImportedResult | undefined {
  const { imported, store } = step.resources;
  const found = step.vertex.ignoreCache ? undefined : imported?.find(key);
  if (imported === undefined || found === undefined) return undefined;
  const layers = found.map(({ diffId }) => diffId);
  const missing = found.filter(({ diffId }) => !store.layers.facts(diffId));
  if (missing.length === 0) rememberLayers(store, key, layers);
  const answer = { key, layers };
  const absent = missing.map((layer): AbsentLayer => {
    const { diffId, blob } = layer;
    const confirm = (): Promise<void> => orForget(step, answer, () => imported.confirm(diffId));
    return { diffId, ...(blob === undefined ? {} : { blob }), bring: () => bring(step, answer, layer), confirm };
  });
  return { layers, absent };
}

/** The same for a step of wheels, whose own knowledge comes first and is compared when the layer is made here. */
export function importedWheels(step: StepContext): ImportedResult | undefined {
  const { vertex, resources } = step;
  const { store, imported } = resources;
  if (vertex.op.type !== "wheels" || vertex.ignoreCache || imported === undefined) return undefined;
  const key = cacheKey(vertex, []);
  const [claim, ...others] = imported.find(key) ?? [];
  // A layer of which only the digest is known is made of its wheels, as without a cache.
  const isUsable = claim && others.length === 0 && (claim.blob ?? store.layers.facts(claim.diffId));
  const known = knownLayer(store, key);
  const isOther = known?.isClaim === false && known.diffId !== claim?.diffId;
  if (!isUsable || isOther || cachedLayers(store, key)) return undefined;
  const { diffId, size, blob } = claim;
  if (size !== undefined) noteClaim(store, { key, diffId, size, ...(blob === undefined ? {} : { blob }) });
  const found = importedResult(step, key);
  return found && { ...found, absent: found.absent.map((layer) => withUse(step, layer, { key, diffId, size })) };
}

/** The memo of the repository learns of a layer that is left where it is, when it is there. */
function withUse(
  { resources }: StepContext,
  layer: AbsentLayer,
  facts: Pick<WheelLayerFacts, "key" | "diffId"> & { readonly size: number | undefined },
): AbsentLayer {
  const { size } = facts;
  const { blob } = layer;
  if (size === undefined || blob?.mediaType !== MEDIA_TYPES.ociLayerGzip) return layer;
  const confirm = async (): Promise<void> => {
    await layer.confirm?.();
    resources.remote?.use({ ...facts, size, blob: { digest: blob.digest, size: blob.size } });
  };
  return { ...layer, confirm };
}

/** The layers of a part of a step with their files; undefined where no cache has them. */
export async function broughtPart(step: StepContext, key: Digest): Promise<readonly DiffId[] | undefined> {
  const found = importedResult(step, key);
  if (found === undefined || found.absent.some(({ blob }) => blob === undefined)) return undefined;
  await Promise.all(found.absent.map((layer) => layer.bring()));
  return found.layers;
}

interface Answer {
  readonly key: Digest;
  readonly layers: readonly DiffId[];
}

async function bring(step: StepContext, { key, layers }: Answer, layer: ImportedLayer): Promise<void> {
  const { imported, store, lease, python } = step.resources;
  if (imported === undefined) throw new Error("a layer of no cache");
  const { diffId } = layer;
  lease.keep(layers);
  if (layer.blob === undefined) {
    imported.forget(key);
    throw new ForgottenStep(`${diffId} is known by its digest alone`);
  }
  const name = `fetch ${diffId.slice("sha256:".length, "sha256:".length + 12)}`;
  const onProgress = (current: number, total: number): void => step.status(name, current, total);
  await orForget(step, { key, layers }, async () => {
    if (store.layers.facts(diffId)) await unpackDeferred({ store, wheels: python.wheels }, [diffId], step.signal);
    else await imported.bring(diffId, { signal: step.signal, onProgress });
  });
  if (layers.every((each) => store.layers.facts(each))) rememberLayers(store, key, layers);
}

/** Throws `ForgottenStep` in place of an error of the cache. */
async function orForget(step: StepContext, { key, layers }: Answer, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (step.signal.aborted || isOwnTrouble(error)) throw error;
    step.resources.imported?.forget(key, error);
    throw new ForgottenStep(`${layers.join()} can't be had`, { cause: error });
  }
}

const OWN: ReadonlySet<ErrorCode> = new Set(["E_ABORTED", "E_NOSPACE", "E_PERMISSION", "E_STORE_DAMAGED"]);

/** Without the cache it would be no better. */
function isOwnTrouble(error: unknown): boolean {
  return !isTareError(error) || OWN.has(error.code);
}
