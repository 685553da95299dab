// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { TareError } from "../base/index.ts";
import { blobStore } from "./blobs.ts";
import { cacheMounts } from "./cache-mounts.ts";
import { buildCache } from "./cache.ts";
import { takeClaim } from "./claims.ts";
import type { StoreContext } from "./context.ts";
import { Database } from "./database.ts";
import { documentStore } from "./documents.ts";
import { Effects } from "./effects.ts";
import { eventJournal } from "./events.ts";
import { fingerprintMemo } from "./fingerprints.ts";
import { fsck } from "./fsck.ts";
import { contentReader } from "./image-content.ts";
import { imageStore } from "./images.ts";
import { layerStore } from "./layers.ts";
import type { Layout } from "./layout.ts";
import { createLayout, hasLayout, layoutOf } from "./layout.ts";
import { Leases } from "./leases.ts";
import { partialBlobs } from "./partial-blobs.ts";
import { prune } from "./prune.ts";
import { recover } from "./recover.ts";
import { STATE_SCHEMA, STATE_VERSION } from "./schema.ts";
import { fillReserve, freeBytes, releaseReserve, requireSpace } from "./space.ts";
import type { Lease, Store, StoreOptions } from "./types.ts";
import { usage } from "./usage.ts";

/**
 * Opens the store at `options.root`, making its folders when they are missing. One stat when they exist. The caller
 * closes it. Throws `E_PERMISSION`, `E_NOSPACE`, `E_IO`.
 */
export function openStore(options: StoreOptions): Store {
  const layout = layoutOf(options.root);
  const effects = new Effects(options.fault);
  if (!hasLayout(layout) && !options.readonly) createLayout(layout, effects);
  const context = openContext(layout, effects, options);
  const content = contentReader(layout);
  const cache = buildCache(context);
  const fingerprints = fingerprintMemo(layout, effects, context.readonly);
  const layers = layerStore(context);
  const parts = { context, content, layers };
  return {
    root: layout.root,
    containersRoot: layout.containers,
    runRoot: options.runRoot ?? join(layout.root, "run"),
    blobs: blobStore(context),
    partials: partialBlobs(context),
    layers,
    images: imageStore(context, content),
    cache,
    fingerprints,
    cacheMounts: cacheMounts(context),
    documents: (kind, { lasting = true } = {}) => documentStore(context, kind, lasting),
    events: eventJournal(layout.root, effects, context.readonly),
    lease: () => context.leases.open(),
    claim: (key) => takeClaim(context, `key:${key}`),
    recover: () => recover(context),
    makeRoom: () => releaseReserve(layout, effects),
    freeSpace: () => freeBytes(layout),
    requireSpace: (size, doing) => requireSpace(layout, size, doing),
    contentOf: (image) => content(image.target, image.id),
    usage: () => usage(parts),
    prune: (what = {}) => prune(parts, what),
    fsck: (how = {}) => fsck(parts, how),
    close: ({ exiting = false } = {}) => {
      cache.flush();
      context.leases.releaseAll();
      if (exiting) context.database.leave();
      else context.database.close();
      fingerprints.close();
    },
  };
}

function openContext(layout: Layout, effects: Effects, options: StoreOptions): StoreContext {
  const readonly = options.readonly ?? false;
  const leases = new Leases(layout, effects);
  let own: Lease | undefined;
  return {
    layout,
    effects,
    leases,
    database: new Database(
      { path: layout.state, schema: STATE_SCHEMA, version: STATE_VERSION, readonly, writeStep: "state.write" },
      effects,
    ),
    readonly,
    sync: options.sync ?? "full",
    lease: () => {
      if (readonly)
        throw new TareError("E_PERMISSION", `writing to \`${layout.root}\`: the store was opened for reading`);
      if (!own) {
        fillReserve(layout, effects);
        own = leases.open();
      }
      return own;
    },
  };
}
