// SPDX-License-Identifier: Apache-2.0
/*
 * What is known of a layer of distributions before it is made, by the cache key of its step. What this machine made is
 * proved; what a lock, a bundle or a registry says is a claim, remembered when it is used and compared when the layer is made.
 */
import { TareError, asDiffId, isDigest } from "../../base/index.ts";
import type { DiffId, Digest } from "../../base/index.ts";
import type { DocumentStore, Store } from "../../store/index.ts";

/** A layer made of wheels, without its content. */
export interface WheelLayerFacts {
  /** Of the step that makes it: which wheels, where to, for which Python, with which bytecode. */
  readonly key: Digest;
  readonly diffId: DiffId;
  /** Bytes of its tar. */
  readonly size: number;
  /** As it travels: gzip, layout `ms`. */
  readonly blob: { readonly digest: Digest; readonly size: number };
}

/** What a store remembers of a key. */
export interface KnownLayer extends Pick<WheelLayerFacts, "diffId" | "size"> {
  /** Present for a claim; the blob of a layer made here is remembered by who compressed it. */
  readonly blob?: WheelLayerFacts["blob"];
  /** Nobody here has made the layer yet. */
  readonly isClaim: boolean;
}

/** Documents by key. */
const FACTS = "wheel-layer-facts";

function documents(store: Store): DocumentStore<KnownLayer> {
  return store.documents<KnownLayer>(FACTS, { lasting: false });
}

/** What this store knows of the layer of a step. */
export function knownLayer(store: Store, key: Digest): KnownLayer | undefined {
  return documents(store).get(key);
}

/** A claim; who made it need not have sent the layer. */
export type LayerClaim = Omit<WheelLayerFacts, "blob"> & Partial<Pick<WheelLayerFacts, "blob">>;

/** Remembers that an image was made with a claim. What was proved stays. */
export function noteClaim(store: Store, { key, ...claim }: LayerClaim): void {
  documents(store).change(key, (before) => (before?.isClaim === false ? before : { ...claim, isClaim: true }));
}

/**
 * Remembers what a step really made. Throws `E_LAYER_CLAIM` when an image was made with another claim; the claim is
 * forgotten, and what was made counts from then on.
 */
export function proveLayer(store: Store, key: Digest, made: Pick<WheelLayerFacts, "diffId" | "size">): void {
  const known = knownLayer(store, key);
  if (known?.diffId === made.diffId && !known.isClaim) return;
  const proved: KnownLayer = { diffId: made.diffId, size: made.size, isClaim: false };
  documents(store).put(key, proved);
  if (known?.isClaim === true && known.diffId !== made.diffId) throw wrongClaim(known.diffId, made.diffId);
}

function wrongClaim(claimed: DiffId, made: DiffId): TareError {
  return new TareError(
    "E_LAYER_CLAIM",
    `making a layer of wheels: it is \`${made}\`, a lock, a bundle or the registry's memo said \`${claimed}\``,
    {
      hint: "the claim is forgotten: build again, and push again what was pushed with it",
      details: { expected: claimed, actual: made },
    },
  );
}

/** Facts in the `[tool.tare]` of a lock, by key; what is not a fact is left out: it saves nothing and breaks nothing. */
export function readLayerFacts(
  tare: Readonly<Record<string, unknown>> | undefined,
): ReadonlyMap<Digest, WheelLayerFacts> {
  const rows: unknown = tare?.[TABLE];
  const facts = Array.isArray(rows) ? rows.map(parseRow).filter((row) => row !== undefined) : [];
  return new Map(facts.map((each) => [each.key, each]));
}

const TABLE = "layers";
const HEADER = "[[tool.tare.layers]]";

/** A fact from outside; undefined when it is none. */
function parseRow(row: unknown): WheelLayerFacts | undefined {
  if (typeof row !== "object" || row === null) return undefined;
  const members: Readonly<Record<string, unknown>> = { ...row };
  return parseLayerFact({
    key: members["key"],
    diffId: members["diff-id"],
    size: members["size"],
    digest: members["blob"],
    blobSize: members["blob-size"],
  });
}

/** A fact from unchecked values; undefined when one of them is not what it must be. */
export function parseLayerFact(
  values: Readonly<Record<"key" | "diffId" | "size" | "digest" | "blobSize", unknown>>,
): WheelLayerFacts | undefined {
  const { key, diffId, digest } = values;
  const [size, blobSize] = [countOf(values.size), countOf(values.blobSize)];
  if (!isDigestText(key) || !isDigestText(diffId) || !isDigestText(digest)) return undefined;
  if (size === undefined || blobSize === undefined) return undefined;
  return { key, diffId: asDiffId(diffId), size, blob: { digest, size: blobSize } };
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === "string" && isDigest(value);
}

function countOf(value: unknown): number | undefined {
  const number = typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

/**
 * The text of a `pylock.toml` with these facts instead of those that it had; the rest of it stays byte for byte. Equal
 * facts give equal text.
 */
export function writeLayerFacts(text: string, facts: readonly WheelLayerFacts[]): string {
  const kept = withoutFacts(text).trimEnd();
  const sorted = facts.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  const blocks = sorted.map(({ key, diffId, size, blob }) => {
    const rows = [`key = "${key}"`, `diff-id = "${diffId}"`, `size = ${size}`, `blob = "${blob.digest}"`];
    return ["", HEADER, ...rows, `blob-size = ${blob.size}`, ""].join("\n");
  });
  return `${kept}\n${blocks.join("")}`;
}

/** Our blocks are written by this file alone: a header, then `name = value` lines. */
function withoutFacts(text: string): string {
  const kept: string[] = [];
  let isOurs = false;
  for (const line of text.split("\n")) {
    if (line.trim() === HEADER) isOurs = true;
    else if (isOurs && /^\s*\[/.test(line)) isOurs = false;
    if (!isOurs) kept.push(line);
  }
  return kept.join("\n");
}
