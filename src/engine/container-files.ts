// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from "node:stream";
import { digestOf, sinkOf } from "../base/index.ts";
import { copyFromContainer, copyToContainer } from "../containers/index.ts";
import type { CopyFilesRequest } from "./facade-containers.ts";
import { withVertex } from "./listener.ts";
import type { Rooms } from "./rooms.ts";

/** `cp CONTAINER:PATH LOCAL|-`. */
export async function copyFrom(rooms: Rooms, request: CopyFilesRequest, to: string | Writable): Promise<number> {
  const context = await rooms.containers();
  const { cwd } = rooms.settings;
  return await told(request, `copy from ${request.container}`, (common) =>
    copyFromContainer(context, { ...common, cwd, to: typeof to === "string" ? to : sinkOf(to) }),
  );
}

/** `cp LOCAL|- CONTAINER:PATH`. */
export async function copyTo(rooms: Rooms, request: CopyFilesRequest, from: string | Readable): Promise<number> {
  const context = await rooms.containers();
  const { cwd } = rooms.settings;
  return await told(request, `copy to ${request.container}`, (common) =>
    copyToContainer(context, { ...common, cwd, from }),
  );
}

interface Common extends Omit<CopyFilesRequest, "listener"> {
  readonly onProgress: (bytes: number) => void;
}

/** How often the listener is told. */
const STEP = 4 << 20;

async function told(
  request: CopyFilesRequest,
  label: string,
  work: (common: Common) => Promise<number>,
): Promise<number> {
  const { listener, ...rest } = request;
  const id = digestOf(label);
  let shown = 0;
  const onProgress = (current: number): void => {
    if (current - shown < STEP) return;
    shown = current;
    listener?.({ kind: "status", id, name: "bytes", current, total: 0, at: Date.now() });
  };
  return await withVertex(request, label, () => work({ ...rest, onProgress }));
}
