// SPDX-License-Identifier: Apache-2.0
// A thread that does one job on a layer.
import { parentPort, workerData } from "node:worker_threads";
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

// Waiting for shared memory does not keep a thread alive; a listener does.
parentPort?.on("message", (count: number) => {
  queue.bytes -= count;
  queue.moved();
});
try {
  // What was made from `LayerJob` by the thread that started this one.
  parentPort?.postMessage({ report: await run(workerData as LayerJob) }, []);
} catch (error) {
  const known = isTareError(error) ? { code: error.code, hint: error.hint, details: error.details } : {};
  parentPort?.postMessage({ error: { message: messageOf(error), ...known } }, []);
}
