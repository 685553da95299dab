// SPDX-License-Identifier: Apache-2.0
import { Worker } from "node:worker_threads";
import { TareError, fromErrorMessage } from "../../base/index.ts";
import type { ErrorMessage } from "../../base/index.ts";
import type { GpuPackage } from "../types.ts";
import type { NeedsOptions, ReadFile } from "./types.ts";

/** What the thread tells; the last two end it. */
export type WheelMessage =
  | { readonly kind: "file"; readonly file: ReadFile }
  | { readonly kind: "needs"; readonly needs: GpuPackage | null }
  | { readonly kind: "error"; readonly error: ErrorMessage };

/** Garbage here is buffers outside the heap: a small young generation lets go of them soon. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };

/** `needsOfWheelFile` on a thread of its own. Throws as that, and `E_ABORTED`. */
export function needsOnThread(path: string, { signal, onFile }: NeedsOptions): Promise<GpuPackage | null> {
  signal?.throwIfAborted();
  const worker = new Worker(new URL("./wheel.worker.ts", import.meta.url), { workerData: path, resourceLimits: HEAP });
  const stop = (): void => void worker.terminate();
  signal?.addEventListener("abort", stop, { once: true });
  const answer = new Promise<GpuPackage | null>((resolve, reject) => {
    worker.on("message", (message: WheelMessage) => {
      if (message.kind === "file") onFile?.(message.file);
      else if (message.kind === "needs") resolve(message.needs);
      else reject(fromErrorMessage(message.error));
    });
    worker.on("error", (error) => reject(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => reject(new TareError("E_ABORTED", `reading \`${path}\`: interrupted`, { exitCode: 130 })));
  });
  return answer.finally(() => {
    signal?.removeEventListener("abort", stop);
    stop();
  });
}
