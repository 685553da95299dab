// SPDX-License-Identifier: Apache-2.0
export { Solver } from "./solve.ts";
export { ForgottenStep } from "./imported-steps.ts";
export type {
  AbsentLayer,
  BlobWriter,
  ImportedLayer,
  ImportedSteps,
  KeyedLayers,
  KnownBlobWriter,
  LocalSource,
  PythonResources,
  RemoteLayer,
  RemoteLayers,
  RootfsResult,
  SolveResources,
} from "./types.ts";
export { contextDigest } from "./context-digest.ts";
export type { IgnoreFilter } from "./context-tree.ts";
export type { BuildEvent, BuildListener } from "./events.ts";
export { finishLayer } from "./layer.ts";
export type { FinishOptions } from "./layer.ts";
export { parseChmod } from "./chmod.ts";
export type { ModeChange } from "./chmod.ts";
export { checkout, resolveCommit } from "./git.ts";
export type { GitSource } from "./git.ts";
export { download, redact } from "./download.ts";
export type { DownloadOptions } from "./download.ts";
export { copyXattrs } from "./staged-tree.ts";
export { removeStaleRuns } from "./stale-runs.ts";
