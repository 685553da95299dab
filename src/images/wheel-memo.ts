// SPDX-License-Identifier: Apache-2.0
/*
 * What a repository remembers of the layers of wheels in it: one OCI artifact under a tag of its own, read with one
 * request. Its layers are the layers' own descriptors, so a registry refuses a memo of blobs that it lacks, and its
 * garbage collection keeps what the memo names; annotations say which step makes which.
 *
 *   config        the empty one
 *   layers[]      gzip, digest, size   annotations: key, diffID and size of the tar; most recently used first
 *   annotations   bases: image id → what a build wants to know of its files
 *
 * Everything in it is a claim. Two pushes at the same time may lose one another's additions, which costs time only.
 */
import { TareError, isTareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import { MEDIA_TYPES, parseManifest, serializeManifest } from "../oci/index.ts";
import type { Descriptor, Manifest } from "../oci/index.ts";
import { parseLayerFact, parseNotedBases } from "../python/index.ts";
import type { NotedBase, WheelLayerFacts } from "../python/index.ts";
import { pushBytes } from "./push-file.ts";
import type { RemoteRepository } from "./transfer.ts";

/** The tag of a repository's memo. */
export const WHEEL_MEMO_TAG = "tare-wheels";

const ARTIFACT = "application/vnd.tare.wheel-layers.v1+json";
const [KEY, DIFF_ID, SIZE] = ["dev.tare.wheels.key", "dev.tare.wheels.diff-id", "dev.tare.wheels.size"] as const;
const BASES = "dev.tare.wheels.bases";
/** The empty descriptor of the image specification, manifest.md. */
const EMPTY = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" as Digest,
  size: 2,
} as const;
/** Some five images of 48 layers; 120 kB. */
const MOST_LAYERS = 256;
const MOST_BASES = 4;

/** A repository's memo. */
export interface WheelMemo {
  readonly layers: ReadonlyMap<Digest, WheelLayerFacts>;
  readonly bases: ReadonlyMap<Digest, NotedBase>;
  /** There is one at the registry that was whole. */
  readonly isThere: boolean;
}

/** The memo of a repository that has none. */
export const NO_MEMO: WheelMemo = { layers: new Map(), bases: new Map(), isThere: false };

/** A repository's memo; an empty one where there is none. Throws `E_MANIFEST` for what is none, and `E_REGISTRY*`. */
export async function readWheelMemo(
  { client, repository }: RemoteRepository,
  call: { readonly signal?: AbortSignal } = {},
): Promise<WheelMemo> {
  try {
    const { bytes } = await client.getManifest(repository, WHEEL_MEMO_TAG, { ...call, forPush: true });
    return parseWheelMemo(bytes.toString("utf8"), `${client.domain}/${repository}:${WHEEL_MEMO_TAG}`);
  } catch (error) {
    if (isTareError(error, "E_REGISTRY_NOTFOUND")) return NO_MEMO;
    throw error;
  }
}

/** Parses a memo; entries that are not whole are left out. Throws `E_MANIFEST`. */
export function parseWheelMemo(text: string, name: string): WheelMemo {
  const manifest = parseManifest(text, { allowNoLayers: true });
  if (manifest.artifactType !== ARTIFACT) {
    throw new TareError("E_MANIFEST", `reading \`${name}\`: it is no memo of wheel layers`, {
      hint: "another program uses that tag: give the image another repository, or remove the tag",
    });
  }
  const layers = consistent(manifest.layers.flatMap((layer) => factOf(layer) ?? []));
  const bases = parseNotedBases(jsonOf(manifest.annotations?.[BASES]));
  return {
    layers: new Map(layers.map((fact) => [fact.key, fact])),
    bases: new Map(bases.map((base) => [base.id, base])),
    isThere: true,
  };
}

function factOf({ mediaType, digest, size, annotations = {} }: Descriptor): WheelLayerFacts | undefined {
  if (mediaType !== MEDIA_TYPES.ociLayerGzip) return undefined;
  const tarSize = Number(annotations[SIZE] ?? Number.NaN);
  return parseLayerFact({ key: annotations[KEY], diffId: annotations[DIFF_ID], size: tarSize, digest, blobSize: size });
}

/** A blob has one content: facts that give it two diffIDs are lies, all of them. */
function consistent(facts: readonly WheelLayerFacts[]): readonly WheelLayerFacts[] {
  const contents = new Map<Digest, Set<Digest>>();
  for (const { blob, diffId } of facts) contents.set(blob.digest, (contents.get(blob.digest) ?? new Set()).add(diffId));
  return facts.filter(({ blob }) => contents.get(blob.digest)?.size === 1);
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What an image has that its repository's memo should know. */
export interface MemoAdditions {
  readonly layers: readonly WheelLayerFacts[];
  readonly bases: readonly NotedBase[];
}

/** The memo with what is used now in front, or the same one when it knew all of it. */
export function addToMemo(memo: WheelMemo, { layers, bases }: MemoAdditions): WheelMemo {
  const isKnown =
    layers.every((fact) => isSame(memo.layers.get(fact.key), fact)) && bases.every(({ id }) => memo.bases.has(id));
  if (isKnown) return memo;
  const used = new Map(layers.map((fact) => [fact.key, fact]));
  const others = [...memo.layers.values()].filter(({ key }) => !used.has(key));
  const named = new Map(bases.map((base) => [base.id, base]));
  const otherBases = [...memo.bases.values()].filter(({ id }) => !named.has(id));
  return {
    isThere: memo.isThere,
    layers: new Map([...used.values(), ...others].slice(0, MOST_LAYERS).map((fact) => [fact.key, fact])),
    bases: new Map([...named.values(), ...otherBases].slice(0, MOST_BASES).map((base) => [base.id, base])),
  };
}

function isSame(known: WheelLayerFacts | undefined, fact: WheelLayerFacts): boolean {
  return known?.diffId === fact.diffId && known.blob.digest === fact.blob.digest;
}

/** Writes a memo whose blobs the repository has. Throws `E_REGISTRY*`. */
export async function writeWheelMemo(
  { client, repository }: RemoteRepository,
  memo: WheelMemo,
  call: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  if (!memo.isThere) await pushBytes({ client, repository }, Buffer.from("{}"), call);
  const bytes = Buffer.from(serializeManifest(manifestOf(memo)));
  await client.putManifest(repository, WHEEL_MEMO_TAG, { bytes, mediaType: MEDIA_TYPES.ociManifest }, call);
}

function manifestOf({ layers, bases }: WheelMemo): Manifest {
  const rows = [...layers.values()].map(({ key, diffId, size, blob }): Descriptor => {
    const annotations = { [KEY]: key, [DIFF_ID]: diffId, [SIZE]: String(size) };
    return { mediaType: MEDIA_TYPES.ociLayerGzip, ...blob, annotations };
  });
  return {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: ARTIFACT,
    config: EMPTY,
    layers: rows.length > 0 ? rows : [EMPTY],
    annotations: { [BASES]: JSON.stringify([...bases.values()]) },
  };
}
