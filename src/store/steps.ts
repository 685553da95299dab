// SPDX-License-Identifier: Apache-2.0

/** The names of all steps, in the order of a life: made, used, removed. */
export const STEPS = [
  "store.create",
  "store.reserve",
  "state.create",
  "state.write",
  "lease.create",
  "lease.keep",
  "blob.open",
  "blob.write",
  "blob.sync",
  "blob.rename",
  "blob.syncdir",
  "ingest.open",
  "ingest.write",
  "ingest.note",
  "ingest.drop",
  "layer.stage",
  "layer.facts",
  "layer.sync",
  "layer.link",
  "layer.rename",
  "layer.syncdir",
  "layer.discard",
  "fingerprints.write",
  "mount.create",
  "prune.trash",
  "prune.restore",
  "prune.delete",
  "recover.delete",
  "lease.release",
  "fsck.repair",
  "events.write",
  "events.rotate",
] as const;

/** A named mutation of the store. */
export type StepName = (typeof STEPS)[number];
