// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { digestOf, hexOf, readTextIfPresent } from "../base/index.ts";
import { isClaimed, takeClaim } from "./claims.ts";
import type { StoreContext } from "./context.ts";
import { parseObject } from "./layer-facts.ts";
import { namesIn } from "./layout.ts";
import type { CacheMount, CacheMounts } from "./types.ts";

/** Folders for `RUN --mount=type=cache`, by a caller's id of any form. */
export function cacheMounts(context: StoreContext): CacheMounts {
  return {
    path: (id) => ensure(context, id),
    claim: (id) => takeClaim(context, nameOf(id)),
    list: () => namesIn(context.layout.mounts).flatMap((name) => describe(context, name) ?? []),
  };
}

function folderOf(context: StoreContext, id: string): string {
  return join(context.layout.mounts, nameOf(id));
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

/** An id comes from a Dockerfile: never a name as it is. */
function nameOf(id: string): string {
  return hexOf(digestOf(id)).slice(0, 32);
}
