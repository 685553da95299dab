// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError } from "../base/index.ts";
import { cacheKey } from "../graph/index.ts";
import { download } from "./download.ts";
import { lastFetched, rememberFetched } from "./last-fetched.ts";
import { finishLayer } from "./layer.ts";
import type { HttpOp } from "../graph/index.ts";
import type { StepContext, StepWorker } from "./types.ts";

const DEFAULT_MODE = 0o600;

/** ADD of a URL: one file. With a checksum it is fetched once; without, the server is asked whether it changed. */
export const httpWorker: StepWorker = {
  base: () => [],
  key: (step) => (httpOp(step).checksum ? cacheKey(step.vertex, []) : undefined),
  run: async (step) => {
    const op = httpOp(step);
    const staging = step.resources.store.layers.stage();
    try {
      const path = join(staging.tree, op.fileName);
      const { digest } = await download(op.url, path, {
        signal: step.signal,
        onProgress: (current, total) => step.status("downloading", current, total),
      });
      if (op.checksum && op.checksum !== digest) throw wrongChecksum(op, digest);
      fs.chmodSync(path, op.mode ?? DEFAULT_MODE);
      fs.utimesSync(path, step.resources.epoch, step.resources.epoch);
      const layers = [await finishLayer(staging, { xattrs: false, signal: step.signal })];
      rememberFetched(step, layers);
      return layers;
    } catch (error) {
      staging.discard();
      return lastFetched(step, error);
    }
  },
};

function httpOp(step: StepContext): HttpOp {
  const { op } = step.vertex;
  if (op.type !== "http") throw new Error("not an http step");
  return op;
}

function wrongChecksum(op: HttpOp, digest: string): TareError {
  return new TareError("E_CHECKSUM", `digest mismatch for ${op.url}: got ${digest}, expected ${op.checksum}`, {
    hint: "the file changed or the checksum in the Dockerfile is wrong; nothing was stored",
  });
}
