// SPDX-License-Identifier: Apache-2.0
// A thread of `installWheels`: takes jobs one after another until its parent ends it.
import { parentPort } from "node:worker_threads";
import { isTareError, messageOf } from "../../base/index.ts";
import { unpack } from "./unpack.ts";
import type { UnpackJob } from "./unpack.ts";

parentPort?.on("message", (job: UnpackJob) => void run(job));

async function run(job: UnpackJob): Promise<void> {
  try {
    parentPort?.postMessage({ report: await unpack(job) }, []);
  } catch (error) {
    const known = isTareError(error) ? { code: error.code, hint: error.hint, details: error.details } : {};
    parentPort?.postMessage({ error: { message: messageOf(error), ...known } }, []);
  }
}
