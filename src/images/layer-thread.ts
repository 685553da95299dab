// SPDX-License-Identifier: Apache-2.0
import type { Worker } from "node:worker_threads";
import { TareError, fromErrorMessage } from "../base/index.ts";
import type { ErrorMessage, Semaphore } from "../base/index.ts";
import { runUnpack } from "./layer-job.ts";
import type { UnpackJob, UnpackReport } from "./layer-job.ts";
import { runPack } from "./pack-job.ts";
import type { PackJob } from "./pack-job.ts";

/** What a thread is started with. */
export type LayerJob =
  | { readonly kind: "unpack"; readonly unpack: UnpackJob }
  | { readonly kind: "pack"; readonly pack: PackJob; readonly room: SharedArrayBuffer };

/** What a blob writer hands over at once, at most. */
const SLOT = 1 << 19;
const SLOTS = 4;

/** The parts of the memory through which chunks come, in turn. */
export function slotsOf(room: SharedArrayBuffer): readonly Uint8Array[] {
  return Array.from({ length: room.byteLength / SLOT }, (_, index) => new Uint8Array(room, index * SLOT, SLOT));
}

/** A thread costs some 30 ms and 15 MB: below this size there is less to gain. */
const THREAD_FROM = 2 << 20;
/** Garbage here is buffers outside the heap: a small young generation lets go of them soon. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };

/** Threads that have nothing to do just now; starting one costs more than a small layer's work. */
export class IdleThreads {
  readonly #idle: LayerThread[] = [];
  #isClosed = false;

  /** One that waits, or a new one. */
  async take(): Promise<LayerThread> {
    return this.#idle.pop() ?? LayerThread.start();
  }

  give(thread: LayerThread): void {
    if (this.#isClosed) thread.end();
    else this.#idle.push(thread);
  }

  /** Ends them; those that work end with their work. */
  close(): void {
    this.#isClosed = true;
    for (const thread of this.#idle.splice(0)) thread.end();
  }
}

/** Who works, and until when. */
export interface LayerThreads {
  readonly idle: IdleThreads;
  /** Threads at the same time. */
  readonly limit: Semaphore;
  readonly signal: AbortSignal;
}

/** Hashes and unpacks a layer, large ones on a thread of their own. Throws what unpacking throws, and `E_ABORTED`. */
export function unpackOnThread(job: UnpackJob, { idle, limit, signal }: LayerThreads): Promise<UnpackReport> {
  if (job.file.size < THREAD_FROM) return runUnpack(job, signal);
  return limit.run(async () => {
    for await (const message of messagesOf({ kind: "unpack", unpack: job }, { idle, signal })) {
      // `layer.worker.ts` answers this kind of job with its report.
      if ("report" in message) return message.report as UnpackReport;
    }
    throw interrupted();
  });
}

/** Where a tree is packed, and until when. */
interface PackPlace {
  readonly idle?: IdleThreads;
  readonly signal?: AbortSignal;
}

/**
 * The gzip of a tree, made by a thread of its own where it is large. Throws `E_STORE_DAMAGED` when it is not what its
 * diffID says, what packing throws, and `E_ABORTED`.
 */
export async function* packOnThread(job: PackJob, { idle, signal }: PackPlace): AsyncGenerator<Uint8Array> {
  if (job.size < THREAD_FROM) return yield* runPack(job);
  const own = idle ?? new IdleThreads();
  try {
    const room = new SharedArrayBuffer(SLOT * SLOTS);
    const slots = slotsOf(room);
    for await (const message of messagesOf({ kind: "pack", pack: job, room }, { idle: own, signal })) {
      if ("report" in message) return;
      const slot = slots[message.slot];
      if (slot) yield slot.subarray(0, message.length);
    }
  } finally {
    if (own !== idle) own.close();
  }
}

type Message =
  /** A chunk, until it is told to be taken. */
  { readonly slot: number; readonly length: number } | { readonly report: unknown } | { readonly error: ErrorMessage };

interface Place {
  readonly idle: IdleThreads;
  readonly signal: AbortSignal | undefined;
}

/** What a thread says until it has ended its job; a chunk is told to be taken when the next one is asked for. */
async function* messagesOf(
  job: LayerJob,
  { idle, signal }: Place,
): AsyncGenerator<Exclude<Message, { error: unknown }>> {
  signal?.throwIfAborted();
  const thread = await idle.take();
  const stop = (): void => thread.end();
  signal?.addEventListener("abort", stop, { once: true });
  let isDone = false;
  try {
    thread.begin(job);
    for (;;) {
      const message = await thread.next();
      if (!("slot" in message)) isDone = true;
      if ("error" in message) throw fromErrorMessage(message.error);
      yield message;
      if (!("slot" in message)) return;
      thread.taken();
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    // One that was left in the middle of its work takes no other.
    if (isDone) idle.give(thread);
    else thread.end();
  }
}

/** A thread, what it said in order, and its end as an error. */
class LayerThread {
  readonly #worker: Worker;
  readonly #messages: Message[] = [];
  #failure: Error | undefined;
  #arrived = (): void => undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message: Message) => {
      this.#messages.push(message);
      this.#arrived();
    });
    worker.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => this.#fail(interrupted()));
  }

  static async start(): Promise<LayerThread> {
    const { Worker: NodeWorker } = await import("node:worker_threads");
    // Directories are opened by system calls that Node does not know of.
    const options = { resourceLimits: HEAP, trackUnmanagedFds: false };
    return new LayerThread(new NodeWorker(new URL("./layer.worker.ts", import.meta.url), options));
  }

  begin(job: LayerJob): void {
    this.#worker.postMessage({ job }, []);
  }

  taken(): void {
    this.#worker.postMessage({ isTaken: true }, []);
  }

  end(): void {
    void this.#worker.terminate();
  }

  async next(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift();
      if (message) return message;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }

  #fail(failure: Error): void {
    this.#failure ??= failure;
    this.#arrived();
  }
}

function interrupted(): TareError {
  return new TareError("E_ABORTED", "working on a layer: interrupted", { exitCode: 130 });
}
