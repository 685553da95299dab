// SPDX-License-Identifier: Apache-2.0
/*
 * Compatibility data as an OCI artifact (image-spec manifest.md, "Guidelines for Artifact Usage"): one manifest with an
 * empty config and one layer, the JSON. `oras push` with the same types makes the same.
 */
import { TareError, digestOf } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { DOCUMENT_LIMIT, parseManifest, serializeManifest } from "../../oci/index.ts";
import type { Descriptor, Manifest } from "../../oci/index.ts";
import type { RegistryClient } from "../../registry/index.ts";

/** Type of the artifact and of its layer. */
const GPU_DATA_TYPE = "application/vnd.tare.gpu-data.v1+json";

const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const EMPTY = { mediaType: "application/vnd.oci.empty.v1+json", bytes: Buffer.from("{}") };
const TITLE = "org.opencontainers.image.title";

/** A tag or digest of a repository. */
export interface GpuDataPlace {
  readonly client: RegistryClient;
  readonly repository: string;
  readonly tag: string;
  /** As the user knows it. */
  readonly shown: string;
}

interface Call {
  readonly signal?: AbortSignal;
}

/**
 * Fetches the JSON of an artifact; manifest and layer have their digests. Throws `E_REGISTRY*`, `E_MANIFEST`,
 * `E_DIGEST_MISMATCH`, and `E_GPU_DATA` for an artifact of another kind.
 */
export async function fetchGpuData(place: GpuDataPlace, call: Call = {}): Promise<Buffer> {
  const { client, repository, tag, shown } = place;
  const manifest = await client.getManifest(repository, tag, call);
  const layer = layerOf(manifest.bytes.toString("utf8"), manifest.mediaType, shown);
  const bytes = await collect(client.openBlob(repository, layer, call), layer.size);
  const digest = digestOf(bytes);
  if (digest === layer.digest && bytes.length === layer.size) return bytes;
  throw new TareError(
    "E_DIGEST_MISMATCH",
    `fetching \`${shown}\`: its data has the digest \`${digest}\`, not \`${layer.digest}\``,
    {
      hint: "try again; if it happens once more, the registry's copy is damaged",
    },
  );
}

function layerOf(text: string, mediaType: string, shown: string): Descriptor {
  if (mediaType !== MANIFEST_TYPE) throw foreign(shown, `it is \`${mediaType}\``);
  const { artifactType, config, layers } = parseManifest(text);
  const layer = layers.find((each) => each.mediaType === GPU_DATA_TYPE);
  if (layer === undefined) throw foreign(shown, `it is \`${artifactType ?? config.mediaType}\``);
  if (layer.size > DOCUMENT_LIMIT) throw foreign(shown, `its data is larger than ${DOCUMENT_LIMIT} bytes`);
  return layer;
}

function foreign(shown: string, why: string): TareError {
  return new TareError("E_GPU_DATA", `fetching \`${shown}\`: ${why}, no GPU compatibility data`, {
    hint: `\`tare gpu data push\` makes such an artifact; its layer is \`${GPU_DATA_TYPE}\``,
  });
}

async function collect(chunks: AsyncIterable<Uint8Array>, size: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    parts.push(chunk);
    if (length > size) break;
  }
  return Buffer.concat(parts);
}

/** Sends data to a tag; the digest of its manifest. Throws `E_REGISTRY*`. */
export async function pushGpuData(place: GpuDataPlace, bytes: Buffer, call: Call = {}): Promise<Digest> {
  const { client, repository, tag } = place;
  const data: Descriptor = {
    mediaType: GPU_DATA_TYPE,
    ...(await pushBytes(place, bytes, call)),
    annotations: { [TITLE]: "gpu-data.json" },
  };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: GPU_DATA_TYPE,
    config: { mediaType: EMPTY.mediaType, ...(await pushBytes(place, EMPTY.bytes, call)) },
    layers: [data],
  };
  const sent = { bytes: Buffer.from(serializeManifest(manifest)), mediaType: MANIFEST_TYPE };
  return client.putManifest(repository, tag, sent, call);
}

async function pushBytes(
  { client, repository }: GpuDataPlace,
  bytes: Buffer,
  call: Call,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const blob = { digest: digestOf(bytes), size: bytes.length };
  const known = await client.headBlob(repository, blob.digest, { forPush: true, ...call });
  if (known === undefined) await client.pushBlob(repository, { ...blob, open: () => once(bytes) }, call);
  return blob;
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
