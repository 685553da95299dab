// SPDX-License-Identifier: Apache-2.0
/*
 * Which wheel a layer's files came from. It is remembered by diffID when the layer is made; when the layer is pushed
 * the plan is made again from the wheels, and their own compressed bytes become the layer's.
 */
import { spliceSource } from "../../archive/index.ts";
import { TareError } from "../../base/index.ts";
import { openLayerFiles } from "./layer-files.ts";
import type { SourceOf } from "../../archive/index.ts";
import type { Digest, DiffId } from "../../base/index.ts";
import type { Store } from "../../store/index.ts";
import type { WheelStore } from "../types.ts";
import type { InstallSettings, WheelToInstall } from "./layer-files.ts";
import type { LeftOut } from "./slim-report.ts";

/** What a layer of distributions was made of. */
export interface WheelLayer {
  /** Cache key of the step that made it first; absent in notes of older versions. */
  readonly key?: Digest;
  readonly wheels: readonly {
    readonly name: string;
    readonly version: string;
    readonly fileName: string;
    readonly digest: Digest;
    readonly isRequested: boolean;
    readonly direct?: Readonly<Record<string, unknown>>;
    /** Of its pack of compiled modules. */
    readonly bytecode?: Digest;
  }[];
  readonly settings: InstallSettings;
  readonly bytecode: "imported" | "all" | "none";
  /** What `--slim` left out of it, by rule. */
  readonly leftOut?: readonly LeftOut[];
  /** A bundle says so; nobody here has made the layer yet. */
  readonly isClaim?: true;
}

/** Documents of wheel layers by diffID. */
const WHEEL_LAYERS = "wheel-layer";

/** Remembers what a layer was made of. The first note stays, unless it is a claim and this one is none. */
export function noteWheelLayer(store: Store, diffId: DiffId, layer: WheelLayer): void {
  const documents = store.documents<WheelLayer>(WHEEL_LAYERS);
  const known = documents.get(diffId);
  if (known === undefined || (known.isClaim && !layer.isClaim)) documents.put(diffId, layer);
}

/** What a layer was made of, if it was made of wheels. */
export function wheelLayer(store: Store, diffId: Digest): WheelLayer | undefined {
  return store.documents<WheelLayer>(WHEEL_LAYERS).get(diffId);
}

/**
 * The wheels of a layer as files of this machine, with their packs of compiled modules. Wheels that the store no longer
 * has are fetched again. Throws as `WheelStore.require`, and `E_BLOB_MISSING` for a pack that is gone.
 */
export async function wheelsOfLayer(
  store: Store,
  wheels: WheelStore,
  layer: WheelLayer,
  signal?: AbortSignal,
): Promise<readonly WheelToInstall[]> {
  const options = signal === undefined ? {} : { signal };
  return Promise.all(
    layer.wheels.map(async (wheel) => {
      const { path } = await wheels.require(wheel, options);
      const { fileName, isRequested, direct, bytecode } = wheel;
      return {
        file: path,
        fileName,
        isRequested,
        ...(direct === undefined ? {} : { direct }),
        ...(bytecode === undefined ? {} : { bytecode: packPath(store, bytecode, fileName) }),
      };
    }),
  );
}

function packPath(store: Store, digest: Digest, fileName: string): string {
  if (store.blobs.has(digest)) return store.blobs.path(digest);
  throw new TareError("E_BLOB_MISSING", `packing \`${fileName}\`: its compiled modules are not in the store`, {
    hint: "build the image again",
    details: { digest },
  });
}

/** A layer's files in its wheels; close it when the layer is written. */
export interface LayerSource {
  readonly sourceOf: SourceOf;
  close(): void;
}

/**
 * The zip entries behind the files of a layer, or undefined when it was not made of wheels. Wheels that the store no
 * longer has are fetched again. Throws as `WheelStore.require`.
 */
export async function openLayerSource(
  store: Store,
  wheels: WheelStore,
  diffId: Digest,
  signal?: AbortSignal,
): Promise<LayerSource | undefined> {
  const layer = wheelLayer(store, diffId);
  if (!layer) return undefined;
  const { files, close } = openLayerFiles(await wheelsOfLayer(store, wheels, layer, signal), layer.settings);
  const sourceOf: SourceOf = (path) => spliceSource(files.get(path));
  return { sourceOf, close };
}
