// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { digestOf, hexOf, readTextIfPresent } from "../base/index.ts";
import type { StoreContext } from "./context.ts";
import { parseObject } from "./layer-facts.ts";
import { namesIn } from "./layout.ts";
import { identityOf, livenessOf } from "./leases.ts";
import type { CacheMount, CacheMounts } from "./types.ts";

/** Folders for `RUN --mount=type=cache`, by a caller's id of any form. */
export function cacheMounts(context: StoreContext): CacheMounts {
  return {
    path: (id) => ensure(context, id),
    claim: (id) => claim(context, id),
    list: () => namesIn(context.layout.mounts).flatMap((name) => describe(context, name) ?? []),
  };
}

/** An id comes from a Dockerfile: never a path. */
function folderOf(context: StoreContext, id: string): string {
  return join(context.layout.mounts, hexOf(digestOf(id)).slice(0, 32));
}

function ensure(context: StoreContext, id: string): string {
  // Kept, so that a prune leaves it to a build that shares it without a claim.
  context.lease().keep([digestOf(id)]);
  const folder = folderOf(context, id);
  const data = join(folder, "data");
  const note = join(folder, "mount.json");
  if (!fs.statSync(data, { throwIfNoEntry: false })) {
    context.effects.makeDirectory("mount.create", data, 0o755);
    context.effects.file("mount.create", data, () => fs.chmodSync(data, 0o755));
  }
  // Rewritten at each use: its time is the time of last use.
  context.effects.writeFile("mount.create", note, `${JSON.stringify({ id })}\n`);
  return data;
}

function describe(context: StoreContext, name: string): CacheMount | undefined {
  const folder = join(context.layout.mounts, name);
  const note = join(folder, "mount.json");
  const id = parseObject(readTextIfPresent(note) ?? "")?.["id"];
  const facts = fs.statSync(note, { throwIfNoEntry: false });
  return {
    id: typeof id === "string" ? id : name,
    folder,
    usedAt: facts?.mtimeMs ?? 0,
    claimed: isClaimed(context, name),
  };
}

/** Claims live in state.db: one transaction sees that the old owner is dead and takes over. */
function claim(context: StoreContext, id: string): (() => void) | undefined {
  const { database, leases } = context;
  const key = hexOf(digestOf(id)).slice(0, 32);
  const owner = context.lease().id;
  const taken = database.write(() => {
    const known = database.get("SELECT owner FROM claims WHERE id = ?", key)?.["owner"];
    const holder = typeof known === "string" ? identityOf(known) : undefined;
    if (holder && livenessOf(holder, leases.self) !== "dead") return false;
    database.run(
      "INSERT INTO claims (id, owner) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner",
      key,
      owner,
    );
    return true;
  });
  if (!taken) return undefined;
  return () => {
    database.write(() => database.run("DELETE FROM claims WHERE id = ? AND owner = ?", key, owner));
  };
}

function isClaimed(context: StoreContext, name: string): boolean {
  const owner = context.database.get("SELECT owner FROM claims WHERE id = ?", name)?.["owner"];
  const holder = typeof owner === "string" ? identityOf(owner) : undefined;
  return holder !== undefined && livenessOf(holder, context.leases.self) !== "dead";
}
