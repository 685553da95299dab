// SPDX-License-Identifier: Apache-2.0
// A thread that reads one wheel and ends.
import { parentPort, workerData } from "node:worker_threads";
import { toErrorMessage } from "../../base/index.ts";
import { needsOfWheelFile } from "./wheel-file.ts";
import type { WheelMessage } from "./wheel-thread.ts";

const tell = (message: WheelMessage): void => parentPort?.postMessage(message, []);

try {
  const needs = await needsOfWheelFile(String(workerData), { onFile: (file) => tell({ kind: "file", file }) });
  tell({ kind: "needs", needs: needs ?? null });
} catch (error) {
  tell({ kind: "error", error: toErrorMessage(error) });
}
