// SPDX-License-Identifier: Apache-2.0
/*
 * A volume at a registry is an OCI artifact (image-spec manifest.md, "Guidelines for Artifact Usage"):
 *
 *     config      what the volume is: name, labels, counts
 *     layers      chunks, each a tar of its own compressed by zstd, in the order of the walk; `data/…` are files,
 *                 `part/data/…` parts of a large file whose own entry follows; the last layer lists all files
 *
 * Equal volumes give equal bytes, and a chunk depends on the files in it alone: what did not change is not sent again.
 */
import { TareError, digestOf } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { parseManifest, serializeManifest } from "../../oci/index.ts";
import type { Descriptor, Manifest } from "../../oci/index.ts";

const ARTIFACT_TYPE = "application/vnd.tare.volume.v1+json";
const CONFIG_TYPE = "application/vnd.tare.volume.config.v1+json";
const CHUNK_TYPE = "application/vnd.tare.volume.chunk.v1.tar+zstd";
const LIST_TYPE = "application/vnd.tare.volume.manifest.v1+jsonl.zstd";
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const TITLE = "org.opencontainers.image.title";

/** Where parts of large files are in a chunk. */
export const PART = "part/";

/** The config. */
export interface VolumeConfig {
  readonly version: 1;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly entries: number;
  /** Bytes of content. */
  readonly bytes: number;
  /** Of the list of all files. */
  readonly manifest: Digest;
}

/** A blob of the artifact. */
export interface PartBlob {
  readonly digest: Digest;
  readonly size: number;
}

/** An artifact as its manifest has it. */
export interface VolumeArtifact {
  readonly config: Descriptor;
  readonly chunks: readonly PartBlob[];
  readonly list: PartBlob;
}

/** The bytes of a config and of a manifest. */
export function formatArtifact(
  config: VolumeConfig,
  chunks: readonly PartBlob[],
  list: PartBlob,
): { readonly config: Buffer; readonly manifest: Buffer; readonly mediaType: string } {
  const bytes = Buffer.from(JSON.stringify(config));
  const layers = chunks.map((chunk, index) => descriptorOf(CHUNK_TYPE, chunk, `chunk-${index + 1}.tar.zst`));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config: { mediaType: CONFIG_TYPE, digest: digestOf(bytes), size: bytes.length },
    layers: [...layers, descriptorOf(LIST_TYPE, list, "manifest.jsonl.zst")],
    annotations: {
      "tare.volume.name": config.name,
      "tare.volume.entries": String(config.entries),
      "tare.volume.bytes": String(config.bytes),
    },
  };
  return { config: bytes, manifest: Buffer.from(serializeManifest(manifest)), mediaType: MANIFEST_TYPE };
}

function descriptorOf(mediaType: string, { digest, size }: PartBlob, title: string): Descriptor {
  return { mediaType, digest, size, annotations: { [TITLE]: title } };
}

/** Reads a manifest from outside. Throws `E_MANIFEST` when it is no volume. */
export function parseArtifact(text: string, from: string): VolumeArtifact {
  const manifest = parseManifest(text);
  const { artifactType, config, layers } = manifest;
  if (artifactType !== ARTIFACT_TYPE) {
    throw malformed(from, `it is \`${artifactType ?? config.mediaType}\`, no volume`);
  }
  const list = layers.at(-1);
  const chunks = layers.slice(0, -1);
  if (list?.mediaType !== LIST_TYPE || config.mediaType !== CONFIG_TYPE)
    throw malformed(from, "its parts are not those of a volume");
  if (chunks.some(({ mediaType }) => mediaType !== CHUNK_TYPE)) throw malformed(from, "one of its layers is no chunk");
  return { config, chunks, list };
}

/** Reads a config from outside. Throws `E_MANIFEST`. */
export function parseConfig(text: string, from: string): VolumeConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (typeof value !== "object" || value === null) throw malformed(from, "its config is malformed");
  const { version, name, labels, entries, bytes, manifest } = value as Readonly<Record<string, unknown>>;
  const isKnown = version === 1 && typeof name === "string" && typeof manifest === "string";
  if (!isKnown || typeof labels !== "object" || labels === null) throw malformed(from, "its config is malformed");
  const texts = Object.fromEntries(Object.entries(labels).map(([key, text]) => [key, String(text)]));
  return { version, name, labels: texts, entries: Number(entries), bytes: Number(bytes), manifest: manifest as Digest };
}

function malformed(from: string, why: string): TareError {
  return new TareError("E_MANIFEST", `reading the volume at \`${from}\`: ${why}`, {
    hint: "name a place that `tare volume push` filled",
  });
}
