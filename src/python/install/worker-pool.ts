// SPDX-License-Identifier: Apache-2.0
import { TareError, fromErrorMessage } from "../../base/index.ts";
import type { ErrorMessage } from "../../base/index.ts";
import type { Worker } from "node:worker_threads";
import type { InstallJob, ReportOf } from "./jobs.ts";

type Answer = { readonly report: unknown } | { readonly error: ErrorMessage };

interface Waiting {
  readonly job: InstallJob;
  readonly cost: number;
  readonly signal: AbortSignal | undefined;
  readonly done: (report: unknown) => void;
  readonly fail: (error: unknown) => void;
}

/** More threads than this gain nothing on one disk, and each takes 15 MB. */
const MOST_THREADS = 8;

/**
 * Most of a thread's garbage is buffers outside its heap: a small young generation lets go of them soon, and a limit
 * for the old one keeps it from growing by quadrupling. A wheel of 100,000 files takes about 200 MB.
 */
const HEAP = { maxYoungGenerationSizeMb: 3, maxOldGenerationSizeMb: 256 };

/** How long threads wait for more work: the next layer often needs something else first. */
const LINGER_MS = 1000;

/** Threads that work on wheels; started when there is work, ended when there was none for a moment. */
export class WorkerPool {
  readonly #size: number;
  readonly #start: () => Promise<Worker>;
  readonly #lingerMs: number;
  readonly #queue: Waiting[] = [];
  readonly #idle: Worker[] = [];
  readonly #warming: Promise<Worker>[] = [];
  #lingering: NodeJS.Timeout | undefined;
  #running = 0;

  constructor(size: number, start: () => Promise<Worker> = startWorker, linger: number = LINGER_MS) {
    this.#start = start;
    this.#lingerMs = linger;
    this.#size = Math.max(1, Math.min(size, MOST_THREADS));
  }

  get size(): number {
    return this.#size;
  }

  /** Threads that have nothing to do, started or not. */
  get spare(): number {
    return Math.max(0, this.#size - this.#running - this.#queue.length);
  }

  /** Threads are there, or will be at once. */
  get isWarm(): boolean {
    return this.#running + this.#idle.length + this.#warming.length > 0;
  }

  /** Starts up to `count` threads that will be needed in a moment; they end with the others, or with the program. */
  warmUp(count: number): void {
    const wanted = Math.min(count, this.spare);
    while (this.#idle.length + this.#warming.length < wanted) {
      const starting = this.#start();
      // Who takes it hears of a failure.
      starting.catch(() => undefined);
      this.#warming.push(starting);
    }
  }

  /** Does a job on a thread; `cost` (bytes) decides the order of those that wait: the largest first. */
  async run<Job extends InstallJob>(job: Job, cost: number, signal?: AbortSignal): Promise<ReportOf<Job>> {
    const report = await new Promise((done, fail) => {
      this.#queue.push({ job, cost, signal, done, fail });
      this.#queue.sort((a, b) => b.cost - a.cost);
      void this.#next();
    });
    // What comes out of a thread has no type; `runJob` answers each kind of job with its report.
    return report as ReportOf<Job>;
  }

  async #next(): Promise<void> {
    if (this.#running >= this.#size) return;
    const waiting = this.#queue.shift();
    if (!waiting) return;
    this.#running += 1;
    try {
      waiting.signal?.throwIfAborted();
      waiting.done(await this.#onThread(waiting));
    } catch (error) {
      waiting.fail(error);
    } finally {
      this.#running -= 1;
      if (this.#queue.length === 0 && this.#running === 0) this.#linger();
      void this.#next();
    }
  }

  #linger(): void {
    clearTimeout(this.#lingering);
    this.#lingering = setTimeout(() => this.#running === 0 && this.#end(), this.#lingerMs).unref();
  }

  #end(): void {
    for (const worker of this.#idle.splice(0)) void worker.terminate();
    for (const starting of this.#warming.splice(0)) void starting.then((worker) => worker.terminate());
  }

  async #onThread({ job, signal }: Waiting): Promise<unknown> {
    const worker = this.#idle.pop() ?? (await (this.#warming.pop() ?? this.#start()));
    const stop = (): void => void worker.terminate();
    signal?.addEventListener("abort", stop, { once: true });
    let answer: Answer;
    try {
      answer = await ask(worker, job);
    } catch (error) {
      // A thread that ended without an answer takes no further job.
      void worker.terminate();
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    if (!signal?.aborted) this.#idle.push(worker);
    if ("error" in answer) throw fromErrorMessage(answer.error);
    return answer.report;
  }
}

async function startWorker(): Promise<Worker> {
  const { Worker: NodeWorker } = await import("node:worker_threads");
  const worker = new NodeWorker(new URL("./install.worker.ts", import.meta.url), {
    resourceLimits: HEAP,
  });
  worker.unref();
  return worker;
}

function ask(worker: Worker, job: InstallJob): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const clear = (): void => {
      worker.off("message", onMessage).off("error", onError).off("exit", onExit);
    };
    const onMessage = (answer: Answer): void => {
      clear();
      worker.unref();
      resolve(answer);
    };
    const onError = (error: unknown): void => {
      clear();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onExit = (): void => {
      clear();
      reject(new TareError("E_ABORTED", "installing wheels: interrupted", { exitCode: 130 }));
    };
    worker.on("message", onMessage).on("error", onError).on("exit", onExit);
    worker.ref();
    worker.postMessage(job, []);
  });
}
