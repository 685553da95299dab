// SPDX-License-Identifier: Apache-2.0
/* What images of the store need of GPUs. */
import { areNeedsKnown, needsOfImage } from "../gpu/index.ts";
import type { ImageNeeds, NeedsSubject, ReadFile } from "../gpu/index.ts";
import { imageDetails } from "../images/index.ts";
import type { Store } from "../store/index.ts";
import type { LongCall } from "./facade.ts";
import type { GpuNeedsRequest } from "./facade-gpu.ts";
import { platformOf, requireImage } from "./image-lookup.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

/** Smaller files take no time. */
const TOLD = 8e6;

/** See `GpusApi.needs`. */
export async function gpuNeedsOfImage(rooms: Rooms, request: GpuNeedsRequest): Promise<ImageNeeds> {
  const { image, platform } = request;
  const store = rooms.writer();
  const record = requireImage(store, image, "reading what GPUs are needed by");
  const { config } = imageDetails(store, record, platform === undefined ? undefined : platformOf(platform));
  return readNeeds(store, { image, env: config.config?.Env ?? [], diffIds: config.rootfs.diff_ids }, request);
}

/** Reads what an image needs, as one step of the call's listener when something of it is not remembered. */
export async function readNeeds(store: Store, subject: NeedsSubject, call: LongCall): Promise<ImageNeeds> {
  const signal = call.signal === undefined ? {} : { signal: call.signal };
  if (areNeedsKnown(store, subject)) return needsOfImage(store, subject, signal);
  return withVertex(call, `read what ${subject.image} needs of GPUs`, (log) => {
    const onFile = ({ of, path, size }: ReadFile): void => {
      if (size >= TOLD) log(`${of}: ${path}, ${(size / 1e6).toFixed(0)} MB`);
    };
    return needsOfImage(store, subject, { ...signal, onFile });
  });
}
