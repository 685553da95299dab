// SPDX-License-Identifier: Apache-2.0
// A thread of the worker pool: does jobs one after another until its parent ends it.
import { parentPort } from "node:worker_threads";
import { toErrorMessage } from "../../base/index.ts";
import { runJob } from "./jobs.ts";
import type { InstallJob } from "./jobs.ts";

parentPort?.on("message", (job: InstallJob) => void run(job));

async function run(job: InstallJob): Promise<void> {
  try {
    parentPort?.postMessage({ report: await runJob(job) }, []);
  } catch (error) {
    parentPort?.postMessage({ error: toErrorMessage(error) }, []);
  }
}
