// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../base/index.ts";
import { normalizeReference, referenceName } from "../oci/index.ts";
import type { ContainerConfig, HistoryEntry, ImageConfig, Manifest, Platform } from "../oci/index.ts";
import type { ImageRecord, Layer, LayerFacts } from "../store/index.ts";
import { shortName } from "./image-names.ts";
import { selectImage } from "./select-image.ts";
import type { ContentStore } from "./write-image.ts";

/** An image of the store, read for one platform. */
export interface ImageDetails {
  readonly record: ImageRecord;
  /** Config digest. */
  readonly id: Digest;
  readonly manifestDigest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** Lowest first; those that are not unpacked are left out. */
  readonly layers: readonly Layer[];
  /** Lowest first; of deferred layers too. */
  readonly facts: readonly LayerFacts[];
  /** Bytes of file content of all layers. */
  readonly size: number;
  /** Milliseconds since 1970; 0 when the config does not say. */
  readonly createdAt: number;
}

/** Reads an image. Throws `E_PLATFORM`, `E_BLOB_MISSING`, `E_MANIFEST`. */
export function imageDetails(store: ContentStore, record: ImageRecord, platform?: Platform): ImageDetails {
  const { manifest, config, descriptor } = selectImage(store.blobs, record, platform);
  const { diff_ids: diffIds } = config.rootfs;
  const layers = diffIds.flatMap((diffId) => store.layers.get(diffId) ?? []);
  const facts = diffIds.flatMap((diffId) => store.layers.facts(diffId) ?? []);
  return {
    record,
    id: manifest.config.digest,
    manifestDigest: descriptor.digest,
    manifest,
    config,
    layers,
    facts,
    size: facts.reduce((sum, layer) => sum + layer.contentSize, 0),
    createdAt: millisecondsOf(config.created),
  };
}

function millisecondsOf(time: string | undefined): number {
  const value = time === undefined ? 0 : Date.parse(time);
  return Number.isNaN(value) ? 0 : Math.max(0, value);
}

/** One line of `history`. */
export interface HistoryRow {
  /** The image ID on the newest line, `<missing>` on others, as Docker has it. */
  readonly id: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly size: number;
  readonly comment: string;
  readonly names: readonly string[];
}

/** An image's history, newest first. Layers that the config's history does not tell of get a line without a text. */
export function imageHistory(details: ImageDetails): readonly HistoryRow[] {
  const { config, facts: layers } = details;
  const entries = config.history ?? [];
  const told = entries.filter((entry) => entry.empty_layer !== true).length;
  const silent: readonly HistoryEntry[] = layers.slice(told).map(() => ({}));
  let next = 0;
  const rows = [...entries, ...silent].map((entry): HistoryRow => {
    const layer = entry.empty_layer === true ? undefined : layers[next++];
    return {
      id: "<missing>",
      createdAt: millisecondsOf(entry.created),
      createdBy: entry.created_by ?? "",
      size: layer?.contentSize ?? 0,
      comment: entry.comment ?? "",
      names: [],
    };
  });
  const newest = rows.pop();
  if (newest) rows.push({ ...newest, id: details.id, names: details.record.names.map(shortName) });
  return rows.toReversed();
}

/** Docker's `image inspect` document (Engine API, ImageInspect), without what only its graph drivers know. */
export function imageInspect(details: ImageDetails): Readonly<Record<string, unknown>> {
  const { config, record } = details;
  return {
    Id: details.id,
    RepoTags: record.names.map(shortName),
    RepoDigests: repoDigests(record),
    Parent: "",
    Comment: config.history?.at(-1)?.comment ?? "",
    Created: config.created ?? "",
    DockerVersion: "",
    Author: config.author ?? "",
    Config: inspectConfig(config.config ?? {}),
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    ...(config["os.version"] === undefined ? {} : { OsVersion: config["os.version"] }),
    Size: details.size,
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: new Date(record.addedAt).toISOString() },
    Descriptor: { mediaType: record.mediaType, digest: record.target },
  };
}

function repoDigests(record: ImageRecord): readonly string[] {
  const repositories = record.names.map((name) => shortName(referenceName(normalizeReference(name))));
  return [...new Set(repositories)].map((repository) => `${repository}@${record.target}`);
}

/** Docker shows every field of a config, with null or empty values for those that are not set. */
function inspectConfig(config: ContainerConfig): Readonly<Record<string, unknown>> {
  return {
    ...config,
    Hostname: config.Hostname ?? "",
    Domainname: config.Domainname ?? "",
    User: config.User ?? "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    Image: "",
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? "",
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
  };
}
