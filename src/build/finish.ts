// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { HistoryEntry, ImageConfig } from "../oci/index.ts";
import type { VertexId } from "../graph/index.ts";
import type { CompiledStage } from "./types.ts";

/** The image config of a compiled stage, without its layers. */
export function imageConfig(
  stage: CompiledStage,
  epoch: number,
  layers: { readonly count: number; readonly split: ReadonlyMap<VertexId, number> },
): Omit<ImageConfig, "rootfs"> {
  const {
    rootfs: _rootfs,
    history: _history,
    config: _config,
    created: _created,
    ...kept
  } = stage.base ?? {
    architecture: "",
    os: "",
    rootfs: { type: "layers", diff_ids: [] },
  };
  const created = new Date(epoch * 1000).toISOString().replace(".000Z", "Z");
  const { variant } = stage.platform;
  return {
    ...kept,
    created,
    ...(stage.author === undefined ? {} : { author: stage.author }),
    architecture: stage.platform.architecture,
    os: stage.platform.os,
    ...(variant ? { variant } : {}),
    config: stage.config,
    history: history(stage, layers.count, layers.split),
  };
}

/** History lines; those that say they made a layer are as many as there are layers. */
function history(
  stage: CompiledStage,
  layerCount: number,
  split: ReadonlyMap<VertexId, number>,
): readonly HistoryEntry[] {
  const lines = stage.history.flatMap(({ layer, vertex, ...line }): HistoryEntry[] => {
    const { empty_layer: _empty, ...rest } = line;
    const count = layer ? ((vertex && split.get(vertex)) ?? 1) : 0;
    return count === 0 ? [{ ...rest, empty_layer: true }] : Array.from({ length: count }, () => rest);
  });
  const claimed = lines.filter((line) => !line.empty_layer).length;
  if (claimed === layerCount) return lines;
  if (claimed < layerCount) return [...missingLines(layerCount - claimed), ...lines];
  throw new TareError("E_MANIFEST", `writing the image config: ${claimed} history lines for ${layerCount} layers`);
}

/** Layers of a base without history, and the layer of an image without files, need a line each. */
function missingLines(count: number): readonly HistoryEntry[] {
  return Array.from({ length: count }, () => ({ created_by: "layer without history" }));
}
