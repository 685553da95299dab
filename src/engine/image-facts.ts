// SPDX-License-Identifier: Apache-2.0
/* What `images` shows and filters by, read from manifests and configs. */
import { DEFAULT_EPOCH, isTareError } from "../base/index.ts";
import type { DiffId } from "../base/index.ts";
import type { ContainerRecord } from "../containers/index.ts";
import { formatPlatform, isIndex, parseImageConfig, parseIndex } from "../oci/index.ts";
import type { ImageConfig, Platform } from "../oci/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";

/** What a listing knows of an image. */
export interface ImageFacts {
  readonly record: ImageRecord;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Bytes of file content of all unpacked layers. */
  readonly size: number;
  readonly layers: readonly DiffId[];
  readonly labels: Readonly<Record<string, string>>;
  readonly platforms: readonly Platform[];
  /** Ids of the containers, also stopped ones, that are made of it. */
  readonly containers: readonly string[];
}

/** Reads facts of images; layers that several share are looked up once. */
export class FactReader {
  readonly #store: Store;
  readonly #sizes = new Map<DiffId, number>();
  readonly #containers: ReadonlyMap<string, readonly string[]>;

  constructor(store: Store) {
    this.#store = store;
    this.#containers = containersByImage(store);
  }

  /** An image with damaged or missing content is listed with what is known. */
  read(record: ImageRecord): ImageFacts {
    const config = this.#orElse(() => parseImageConfig(this.#text(record.id)), undefined);
    const layers = config?.rootfs.diff_ids ?? [];
    return {
      record,
      createdAt: createdAt(record, config),
      size: layers.reduce((sum, layer) => sum + this.layerSize(layer), 0),
      layers,
      labels: config?.config?.Labels ?? {},
      platforms: this.#orElse(() => this.#platforms(record, config), []),
      containers: this.#containers.get(record.id) ?? [],
    };
  }

  /** Bytes of file content; 0 for a layer that is not unpacked. */
  layerSize(layer: DiffId): number {
    const known = this.#sizes.get(layer);
    if (known !== undefined) return known;
    const size = this.#store.layers.facts(layer)?.contentSize ?? 0;
    this.#sizes.set(layer, size);
    return size;
  }

  #platforms(record: ImageRecord, config: ImageConfig | undefined): readonly Platform[] {
    if (!isIndex(record.mediaType)) return config ? [config] : [];
    const { manifests } = parseIndex(this.#text(record.target));
    const present = manifests.filter(({ digest }) => this.#store.blobs.has(digest));
    return present.flatMap(({ platform }) => (platform && platform.os !== "unknown" ? [platform] : []));
  }

  #text(digest: ImageRecord["id"]): string {
    return this.#store.blobs.read(digest).toString("utf8");
  }

  #orElse<T>(read: () => T, fallback: T): T {
    try {
      return read();
    } catch (error) {
      if (isTareError(error)) return fallback;
      throw error;
    }
  }
}

function createdAt(record: ImageRecord, config: ImageConfig | undefined): number {
  return shownTime(config?.created === undefined ? Number.NaN : Date.parse(config.created), record);
}

/** A time of a config; one that says nothing (made reproducible, or none) shows when the image came here. */
export function shownTime(time: number, record: ImageRecord): number {
  return time > DEFAULT_EPOCH * 1000 ? time : record.addedAt;
}

function containersByImage(store: Store): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const record of store.documents<ContainerRecord>("container").list()) {
    for (const image of imagesOf(record)) {
      const ids = found.get(image);
      if (ids) ids.push(record.id);
      else found.set(image, [record.id]);
    }
  }
  return found;
}

/** Ids of the images that a container needs: its own, and those mounted in it. */
export function imagesOf({ imageId, mounts }: ContainerRecord): ReadonlySet<string> {
  return new Set([imageId, ...mounts.flatMap(({ image }) => image?.id ?? [])]);
}

/** `linux/amd64` of each platform, once. */
export function platformNames(platforms: readonly Platform[]): readonly string[] {
  return [...new Set(platforms.map(formatPlatform))];
}
