// SPDX-License-Identifier: Apache-2.0
// A thread that does jobs on layers, one after another, until its parent ends it.
import { parentPort } from "node:worker_threads";
import { isTareError, messageOf } from "../base/index.ts";
import { runUnpack } from "./layer-job.ts";
import { runPack } from "./pack-job.ts";
import type { LayerJob } from "./layer-thread.ts";

/** Bytes that wait to be sent. */
const WINDOW = 4 << 20;
const queue = { bytes: 0, moved: (): void => undefined };

async function run(job: LayerJob): Promise<unknown> {
  if (job.kind === "unpack") return runUnpack(job.unpack);
  for await (const chunk of runPack(job.pack)) {
    const copy = Uint8Array.from(chunk);
    queue.bytes += copy.length;
    parentPort?.postMessage({ chunk: copy }, [copy.buffer]);
    while (queue.bytes >= WINDOW) await new Promise<void>((done) => (queue.moved = done));
  }
  return undefined;
}

async function answer(job: LayerJob): Promise<void> {
  try {
    parentPort?.postMessage({ report: await run(job) }, []);
  } catch (error) {
    const known = isTareError(error) ? { code: error.code, hint: error.hint, details: error.details } : {};
    parentPort?.postMessage({ error: { message: messageOf(error), ...known } }, []);
  }
}

// Waiting for shared memory does not keep a thread alive; this listener does.
parentPort?.on("message", (message: { readonly job: LayerJob } | { readonly taken: number }) => {
  if ("job" in message) {
    queue.bytes = 0;
    void answer(message.job);
    return;
  }
  queue.bytes -= message.taken;
  queue.moved();
});
