// SPDX-License-Identifier: Apache-2.0
export { GraphBuilder } from "./builder.ts";
export type { VertexNotes } from "./builder.ts";
export { cacheKey, chainDigest } from "./cache-key.ts";
export { describeGraph, printGraph } from "./print.ts";
export { reachable, vertexOf } from "./walk.ts";
export type {
  CopyOp,
  CopySource,
  DiffOp,
  GitOp,
  Graph,
  HttpOp,
  ImageOp,
  LocalOp,
  MergeOp,
  MkdirOp,
  Op,
  OwnerSpec,
  RunMount,
  RunOp,
  ScratchOp,
  SourceRange,
  UninstallOp,
  Vertex,
  VertexId,
  WheelInput,
  WheelsOp,
} from "./types.ts";
