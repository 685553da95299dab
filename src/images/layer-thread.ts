// SPDX-License-Identifier: Apache-2.0
import type { Worker } from "node:worker_threads";
import { TareError, isErrorCode } from "../base/index.ts";
import type { Semaphore } from "../base/index.ts";
import { runUnpack } from "./layer-job.ts";
import type { UnpackJob, UnpackReport } from "./layer-job.ts";
import { runPack } from "./pack-job.ts";
import type { PackJob } from "./pack-job.ts";

/** What a thread is started with. */
export type LayerJob =
  | { readonly kind: "unpack"; readonly unpack: UnpackJob }
  | { readonly kind: "pack"; readonly pack: PackJob };

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
    for await (const message of messagesOf({ kind: "unpack", unpack: job }, signal)) {
      // `layer.worker.ts` answers this kind of job with its report.
      if ("report" in message) return message.report as UnpackReport;
    }
    throw interrupted();
  });
}

/**
 * The gzip of a tree, made by a thread of its own where it is large. Throws `E_STORE_DAMAGED` when it is not what its
 * diffID says, what packing throws, and `E_ABORTED`.
 */
export async function* packOnThread(job: PackJob, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (job.size < THREAD_FROM) return yield* runPack(job);
  for await (const message of messagesOf({ kind: "pack", pack: job }, signal)) {
    if ("chunk" in message) yield message.chunk;
    else return;
  }
}

type Message =
  | { readonly chunk: Uint8Array }
  | { readonly report: unknown }
  | {
      readonly error: {
        readonly message: string;
        readonly code?: string;
        readonly hint?: string;
        readonly details?: Readonly<Record<string, unknown>>;
      };
    };

/** What a thread says until it has ended its job; a chunk is told to be taken when the next one is asked for. */
async function* messagesOf(
  job: LayerJob,
  signal: AbortSignal | undefined,
): AsyncGenerator<Exclude<Message, { error: unknown }>> {
  signal?.throwIfAborted();
  const { Worker: NodeWorker } = await import("node:worker_threads");
  const worker = new NodeWorker(new URL("./layer.worker.ts", import.meta.url), {
    workerData: job,
    resourceLimits: HEAP,
    // Directories are opened by system calls that Node does not know of.
    trackUnmanagedFds: false,
  });
  const stop = (): void => void worker.terminate();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const mailbox = new Mailbox(worker);
    for (;;) {
      const message = await mailbox.next();
      if ("error" in message) throw errorOf(message.error);
      yield message;
      if ("chunk" in message) worker.postMessage(message.chunk.length, []);
      else return;
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    await worker.terminate();
  }
}

/** Messages in order, and the thread's end as an error. */
class Mailbox {
  readonly #messages: Message[] = [];
  #failure: Error | undefined;
  #arrived = (): void => undefined;

  constructor(worker: Worker) {
    worker.on("message", (message: Message) => {
      this.#messages.push(message);
      this.#arrived();
    });
    worker.on("error", (error) => this.#end(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => this.#end(interrupted()));
  }

  async next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift();
      if (message) return message;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }

  #end(failure: Error): void {
    this.#failure ??= failure;
    this.#arrived();
  }
}

function interrupted(): TareError {
  return new TareError("E_ABORTED", "working on a layer: interrupted", { exitCode: 130 });
}

function errorOf({ message, code = "", hint, details }: Extract<Message, { error: unknown }>["error"]): Error {
  if (!isErrorCode(code)) return new Error(message);
  return new TareError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
}
