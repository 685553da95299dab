// SPDX-License-Identifier: Apache-2.0
// A thread that does jobs on layers, one after another, until its parent ends it.
import { parentPort } from "node:worker_threads";
import { toErrorMessage } from "../base/index.ts";
import { runUnpack } from "./layer-job.ts";
import { runPack } from "./pack-job.ts";
import { slotsOf } from "./layer-thread.ts";
import type { LayerJob } from "./layer-thread.ts";

const queue = { waiting: 0, moved: (): void => undefined };

async function run(job: LayerJob): Promise<unknown> {
  return job.kind === "unpack" ? runUnpack(job.unpack) : pack(job);
}

/** Chunks go through memory that both threads see, so that they are nobody's garbage. */
async function pack({ pack: tree, room }: Extract<LayerJob, { kind: "pack" }>): Promise<void> {
  const slots = slotsOf(room);
  let turn = 0;
  for await (const chunk of runPack(tree)) {
    for (let at = 0; at < chunk.length;) {
      while (queue.waiting === slots.length) await new Promise<void>((done) => (queue.moved = done));
      const slot = turn % slots.length;
      const part = chunk.subarray(at, at + (slots[slot]?.length ?? 0));
      slots[slot]?.set(part);
      queue.waiting += 1;
      parentPort?.postMessage({ slot, length: part.length }, []);
      turn += 1;
      at += part.length;
    }
  }
}

async function answer(job: LayerJob): Promise<void> {
  try {
    parentPort?.postMessage({ report: await run(job) }, []);
  } catch (error) {
    parentPort?.postMessage({ error: toErrorMessage(error) }, []);
  }
}

// Waiting for shared memory does not keep a thread alive; this listener does.
parentPort?.on("message", (message: { readonly job: LayerJob } | { readonly isTaken: true }) => {
  if ("job" in message) {
    queue.waiting = 0;
    void answer(message.job);
    return;
  }
  queue.waiting -= 1;
  queue.moved();
});
