// SPDX-License-Identifier: Apache-2.0
// A thread that does one job on a layer.
import { parentPort, workerData } from "node:worker_threads";
import { isTareError, messageOf } from "../base/index.ts";
import { runUnpack } from "./layer-job.ts";
import type { UnpackJob } from "./layer-job.ts";

async function run(job: UnpackJob): Promise<void> {
  try {
    parentPort?.postMessage({ report: await runUnpack(job) }, []);
  } catch (error) {
    const known = isTareError(error) ? { code: error.code, hint: error.hint, details: error.details } : {};
    parentPort?.postMessage({ error: { message: messageOf(error), ...known } }, []);
  }
}

// Waiting for shared memory does not keep a thread alive; a listener does.
parentPort?.on("message", () => undefined);
// What was made from `UnpackJob` by the thread that started this one.
await run(workerData as UnpackJob);
