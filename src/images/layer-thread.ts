// SPDX-License-Identifier: Apache-2.0
import type { Worker } from "node:worker_threads";
import { TareError, isErrorCode } from "../base/index.ts";
import type { Semaphore } from "../base/index.ts";
import { runUnpack } from "./layer-job.ts";
import type { UnpackJob, UnpackReport } from "./layer-job.ts";

/** A thread costs some 30 ms and 15 MB: below this size there is less to gain. */
const THREAD_FROM = 2 << 20;
/** Garbage here is buffers outside the heap: a small young generation lets go of them soon. */
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

/** Who works, and until when. */
export interface LayerThreads {
  /** Threads at the same time. */
  readonly limit: Semaphore;
  readonly signal: AbortSignal;
}

/** Hashes and unpacks a layer, large ones on a thread of their own. Throws what unpacking throws, and `E_ABORTED`. */
export function unpackOnThread(job: UnpackJob, { limit, signal }: LayerThreads): Promise<UnpackReport> {
  if (job.file.size < THREAD_FROM) return runUnpack(job, signal);
  return limit.run(async () => {
    signal.throwIfAborted();
    const { Worker: NodeWorker } = await import("node:worker_threads");
    const worker = new NodeWorker(new URL("./layer.worker.ts", import.meta.url), {
      workerData: job,
      resourceLimits: HEAP,
      // Directories are opened by system calls that Node does not know of.
      trackUnmanagedFds: false,
    });
    const stop = (): void => void worker.terminate();
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await answerOf(worker);
    } finally {
      signal.removeEventListener("abort", stop);
      await worker.terminate();
    }
  });
}

type Answer =
  | { readonly report: UnpackReport }
  | {
      readonly error: {
        readonly message: string;
        readonly code?: string;
        readonly hint?: string;
        readonly details?: Readonly<Record<string, unknown>>;
      };
    };

function answerOf(worker: Worker): Promise<UnpackReport> {
  return new Promise((resolve, reject) => {
    worker.once("message", (answer: Answer) => {
      if ("error" in answer) reject(errorOf(answer.error));
      else resolve(answer.report);
    });
    worker.once("error", (error) => reject(error instanceof Error ? error : new Error(String(error))));
    worker.once("exit", () => reject(new TareError("E_ABORTED", "unpacking a layer: interrupted", { exitCode: 130 })));
  });
}

function errorOf({ message, code = "", hint, details }: Extract<Answer, { error: unknown }>["error"]): Error {
  if (!isErrorCode(code)) return new Error(message);
  return new TareError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
}
