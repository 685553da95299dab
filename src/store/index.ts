// SPDX-License-Identifier: Apache-2.0
export { openStore } from "./store.ts";
export { parseFaultPlan } from "./faults.ts";
export type { FaultPlan } from "./faults.ts";
export { withLifeEvents } from "./document-events.ts";
export type { DocumentSubject } from "./document-events.ts";
export type { EventJournal, EventRange, StoreEvent } from "./events.ts";
export type { ImageContent, MissingContent } from "./image-content.ts";
export type {
  BlobInfo,
  BlobStore,
  BuildCache,
  ByteRange,
  CacheMount,
  CacheMounts,
  DocumentStore,
  FileStamp,
  FingerprintMemo,
  FingerprintRoot,
  FsckFinding,
  FsckOptions,
  ImageRecord,
  ImageStore,
  Layer,
  LayerFacts,
  LayerStaging,
  LayerStore,
  Lease,
  PartialBlob,
  PartialBlobs,
  PruneOptions,
  PruneReport,
  PruneRow,
  Store,
  StoreOptions,
  UsageRow,
} from "./types.ts";
export { TreeView, isWhiteout, readFileInTree, readNames, resolveInTree } from "./tree-view.ts";
export type { SourceTree, TreeEntry } from "./tree-view.ts";
export { ByteRanges } from "./byte-ranges.ts";
