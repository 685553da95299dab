// SPDX-License-Identifier: Apache-2.0
/*
 * Which wheel a layer's files came from. It is remembered by diffID when the layer is made; when the layer is pushed
 * the plan is made again from the wheels, and their own compressed bytes become the layer's.
 */
import { openZip } from "../../archive/index.ts";
import { planOf } from "./layer-files.ts";
import type { SourceOf, SpliceSource } from "../../archive/index.ts";
import type { Digest, DiffId } from "../../base/index.ts";
import type { Store } from "../../store/index.ts";
import type { WheelStore } from "../types.ts";
import type { InstallSettings } from "./layer-files.ts";

/** What a layer of distributions was made of. */
export interface WheelLayer {
  readonly wheels: readonly {
    readonly name: string;
    readonly version: string;
    readonly fileName: string;
    readonly digest: Digest;
    readonly isRequested: boolean;
    readonly direct?: Readonly<Record<string, unknown>>;
  }[];
  readonly settings: InstallSettings;
  readonly bytecode: "imported" | "all" | "none";
}

/** Documents of wheel layers by diffID. */
const WHEEL_LAYERS = "wheel-layer";

/** Remembers what a layer was made of. */
export function noteWheelLayer(store: Store, diffId: DiffId, layer: WheelLayer): void {
  const documents = store.documents<WheelLayer>(WHEEL_LAYERS);
  if (documents.get(diffId) === undefined) documents.insert(diffId, undefined, layer);
}

/** What a layer was made of, if it was made of wheels. */
export function wheelLayer(store: Store, diffId: Digest): WheelLayer | undefined {
  return store.documents<WheelLayer>(WHEEL_LAYERS).get(diffId);
}

/** A wheel may bring what compiling its modules writes anew. */
const COMPILED = /\/__pycache__\/[^/]+\.pyc$/;

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
  const sources = new Map<string, SpliceSource>();
  const close: (() => void)[] = [];
  const closeAll = (): void => close.forEach((end) => end());
  try {
    for (const wheel of layer.wheels) {
      const { path } = await wheels.require(wheel, signal === undefined ? {} : { signal });
      const zip = openZip(path);
      close.push(() => zip.close());
      for (const file of planOf(zip, { ...wheel, file: path }, layer.settings).files) {
        const isAsInWheel = layer.bytecode === "none" || !COMPILED.test(file.path);
        if (file.entry && isAsInWheel) sources.set(file.path, { zip, entry: file.entry });
        else sources.delete(file.path);
      }
    }
  } catch (error) {
    closeAll();
    throw error;
  }
  return { sourceOf: (path) => sources.get(path), close: closeAll };
}
