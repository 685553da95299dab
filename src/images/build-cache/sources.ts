// SPDX-License-Identifier: Apache-2.0
/* Where build caches are read from: a tag of a registry, or a folder in the layout of OCI images. */
import * as fs from "node:fs";
import { join } from "node:path";
import { Hasher, TareError, digestOf, fileChunks, isDigest, isTareError, readTextIfPresent } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { DOCUMENT_LIMIT, parseIndex } from "../../oci/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import type { BlobTarget } from "../../registry/index.ts";
import { REF_ANNOTATION } from "../image-names.ts";
import { blobPath } from "../save.ts";
import type { RemoteRepository } from "../transfer.ts";

type Blob = Pick<Descriptor, "digest" | "size">;

/** A place that has a cache. */
export interface CacheSource {
  /** As the user named it. */
  readonly label: string;
  /** Its blobs can be mounted from here. */
  readonly remote?: RemoteRepository;
  /** The text of the artifact's manifest; undefined when there is nothing yet. */
  manifest(signal: AbortSignal): Promise<string | undefined>;
  /** Throws `E_BLOB_MISSING`, `E_DIGEST_MISMATCH` unless the blob is there with that size; of a folder its bytes too. */
  confirm(blob: Blob, signal: AbortSignal): Promise<void>;
  /** The bytes of a blob, not checked. */
  open(blob: Blob, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** Fetches what a target lacks of a blob, not checked. */
  fetch(target: BlobTarget, signal: AbortSignal): Promise<void>;
  /** True when wrong bytes came from a mirror, so that another try asks somebody else. */
  distrust(digest: Digest): boolean;
}

/** A cache at a registry. */
export function registryCache(remote: RemoteRepository & { readonly tag: string }, label: string): CacheSource {
  const { client, repository, tag } = remote;
  return {
    label,
    remote,
    manifest: async (signal) => {
      try {
        return (await client.getManifest(repository, tag, { signal })).bytes.toString("utf8");
      } catch (error) {
        if (isTareError(error, "E_REGISTRY_NOTFOUND")) return undefined;
        throw error;
      }
    },
    confirm: async ({ digest, size }, signal) => {
      const found = await client.headBlob(repository, digest, { signal });
      if (!found) throw lacks({ digest, size }, label, undefined);
      if (found.size !== undefined && found.size !== size) throw lacks({ digest, size }, label, found.size);
    },
    open: (blob, signal) => client.openBlob(repository, blob, signal === undefined ? {} : { signal }),
    fetch: (target, signal) => client.fetchBlob(repository, target, { signal }),
    distrust: (digest) => client.distrust(repository, digest),
  };
}

/** A cache in a folder, by the tag that it was written with (`latest` by default) or by digest. */
export function folderCache(
  folder: string,
  label: string,
  wanted: { readonly tag?: string; readonly digest?: string } = {},
): CacheSource {
  const fileOf = ({ digest }: Pick<Blob, "digest">): string => join(folder, blobPath(digest));
  return {
    label,
    manifest: async () => {
      const digest = manifestIn(folder, label, wanted);
      return digest === undefined ? undefined : readDocument(fileOf({ digest }), { digest, label });
    },
    confirm: async (blob) => {
      requireFile(fileOf(blob), blob, label);
      const hasher = new Hasher();
      for await (const chunk of fileChunks(fileOf(blob))) hasher.update(chunk);
      const actual = hasher.digest();
      if (actual === blob.digest) return;
      const doing = `reading \`${blob.digest}\` of the build cache \`${label}\``;
      throw new TareError("E_DIGEST_MISMATCH", `${doing}: its bytes have the digest \`${actual}\``);
    },
    async *open(blob) {
      requireFile(fileOf(blob), blob, label);
      yield* fileChunks(fileOf(blob));
    },
    fetch: async (target) => {
      requireFile(fileOf(target), target, label);
      for (const range of target.missing) {
        let at = range.start;
        for await (const chunk of fileChunks(fileOf(target), range)) {
          target.write(at, chunk);
          at += chunk.length;
        }
      }
    },
    distrust: () => false,
  };
}

function manifestIn(
  folder: string,
  label: string,
  { tag = "latest", digest }: { readonly tag?: string; readonly digest?: string },
): Digest | undefined {
  if (digest !== undefined) {
    if (isDigest(digest)) return digest;
    throw new TareError("E_DIGEST", `reading the build cache \`${label}\`: \`${digest}\` is no digest`);
  }
  const path = join(folder, "index.json");
  const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > DOCUMENT_LIMIT)
    throw new TareError("E_MANIFEST", `reading the build cache \`${label}\`: index.json is too large`);
  const text = readTextIfPresent(path);
  if (text === undefined) return undefined;
  return parseIndex(text).manifests.find(({ annotations }) => annotations?.[REF_ANNOTATION] === tag)?.digest;
}

/** Throws `E_BLOB_MISSING`, `E_DIGEST_MISMATCH` for a file of another size. */
function requireFile(path: string, blob: Blob, label: string): void {
  const actual = fs.statSync(path, { throwIfNoEntry: false })?.size;
  if (actual !== blob.size) throw lacks(blob, label, actual);
}

function lacks({ digest, size }: Blob, label: string, actual: number | undefined): TareError {
  const doing = `reading \`${digest}\` of the build cache \`${label}\``;
  if (actual === undefined)
    return new TareError("E_BLOB_MISSING", `${doing}: it is not there`, { details: { digest } });
  return new TareError("E_DIGEST_MISMATCH", `${doing}: it has ${actual} bytes, ${size} were announced`);
}

function readDocument(path: string, { digest, label }: { readonly digest: Digest; readonly label: string }): string {
  const size = fs.statSync(path, { throwIfNoEntry: false })?.size;
  const why = size === undefined ? "is not there" : size > DOCUMENT_LIMIT ? "is too large" : undefined;
  const bytes = why === undefined ? fs.readFileSync(path) : undefined;
  if (bytes && digestOf(bytes) === digest) return bytes.toString("utf8");
  throw new TareError("E_MANIFEST", `reading the build cache \`${label}\`: \`${digest}\` ${why ?? "has other bytes"}`);
}
