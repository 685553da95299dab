// SPDX-License-Identifier: Apache-2.0
import { TareError, isDigest, parseDigest } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { StoreContext } from "./context.ts";
import type { Row } from "./database.ts";
import type { ContentReader } from "./image-content.ts";
import type { ImageRecord, ImageStore } from "./types.ts";

const SELECT = `
  SELECT target, media_type, id, added_at,
    (SELECT json_group_array(name) FROM (SELECT name FROM names WHERE names.target = images.target ORDER BY name)) AS names
  FROM images`;

/** Names and images in state.db. */
export function imageStore(context: StoreContext, content: ContentReader): ImageStore {
  const database = context.database;
  const byTarget = (target: string): ImageRecord | undefined => one(database.all(`${SELECT} WHERE target = ?`, target));
  return {
    put: (image, names) => put(context, content, image, names),
    find: (text) => find(context, text),
    list: () => database.all(`${SELECT} ORDER BY added_at DESC, target`).map(record),
    untag: (name) => database.write(() => database.run("DELETE FROM names WHERE name = ?", name)) > 0,
    remove: (target) => {
      if (byTarget(target)) database.write(() => database.run("DELETE FROM images WHERE target = ?", target));
    },
  };
}

function put(
  context: StoreContext,
  content: ContentReader,
  image: { readonly target: Digest; readonly mediaType: string; readonly id: Digest },
  names: readonly string[],
): ImageRecord {
  const { database } = context;
  const known = one(database.all(`${SELECT} WHERE target = ?`, image.target));
  // A build that changed nothing writes nothing. What has a name is complete: prune keeps it.
  if (known && isSame(known, image) && names.length > 0 && names.every((name) => known.names.includes(name)))
    return known;
  return database.write(() => {
    requireComplete(content, image, names[0] ?? image.target);
    database.run(
      "INSERT INTO images (target, media_type, id, added_at) VALUES (?, ?, ?, ?) " +
        "ON CONFLICT (target) DO UPDATE SET media_type = excluded.media_type, id = excluded.id",
      image.target,
      image.mediaType,
      image.id,
      Date.now(),
    );
    for (const name of names) {
      const sql =
        "INSERT INTO names (name, target) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET target = excluded.target";
      database.run(sql, name, image.target);
    }
    return record(database.get(`${SELECT} WHERE target = ?`, image.target) ?? {});
  });
}

function isSame(known: ImageRecord, image: Pick<ImageRecord, "mediaType" | "id">): boolean {
  return known.mediaType === image.mediaType && known.id === image.id;
}

/** A name is written after what it names: checked under the write lock that prune takes too. */
function requireComplete(content: ContentReader, image: Pick<ImageRecord, "target" | "id">, name: string): void {
  const first = content(image.target, image.id).missing[0];
  if (!first) return;
  throw new TareError(
    first.kind === "layer" ? "E_LAYER_MISSING" : "E_BLOB_MISSING",
    `naming image \`${name}\`: ${first.kind} \`${first.digest}\` is not in the store`,
    { hint: "pull or build the image again", details: { digest: first.digest, target: image.target } },
  );
}

function find(context: StoreContext, text: string): ImageRecord | undefined {
  const { database } = context;
  const byName = database.all(`${SELECT} WHERE target = (SELECT target FROM names WHERE name = ?)`, text);
  if (byName.length > 0) return one(byName);
  const at = text.lastIndexOf("@");
  if (at > 0) return findPinned(context, text.slice(0, at), text.slice(at + 1));
  if (isDigest(text)) return findDigest(context, text);
  return findPrefix(context, text);
}

function findDigest(context: StoreContext, digest: Digest): ImageRecord | undefined {
  const sql = `${SELECT} WHERE target = ? OR id = ? ORDER BY target = ? DESC, added_at DESC LIMIT 1`;
  return one(context.database.all(sql, digest, digest, digest));
}

/** `name@digest` and `name:tag@digest`: the digest decides; an image that has names must have one of that repository. */
function findPinned(context: StoreContext, name: string, digest: string): ImageRecord | undefined {
  if (!isDigest(digest)) return undefined;
  const found = findDigest(context, digest);
  const repository = repositoryOf(name);
  if (!found || found.names.length === 0) return found;
  return found.names.some((known) => repositoryOf(known) === repository) ? found : undefined;
}

function repositoryOf(name: string): string {
  const untagged = name.lastIndexOf("@") > 0 ? name.slice(0, name.lastIndexOf("@")) : name;
  const colon = untagged.lastIndexOf(":");
  return colon > untagged.lastIndexOf("/") ? untagged.slice(0, colon) : untagged;
}

/** A prefix of an id, with or without `sha256:`; undefined when it fits images of different ids. */
function findPrefix(context: StoreContext, text: string): ImageRecord | undefined {
  const hex = text.startsWith("sha256:") ? text.slice(7) : text;
  if (!/^[0-9a-f]{1,64}$/.test(hex)) return undefined;
  const sql = `${SELECT} WHERE id >= ? AND id < ? ORDER BY added_at DESC`;
  const rows = context.database.all(sql, `sha256:${hex}`, `sha256:${hex}g`);
  return new Set(rows.map((row) => row["id"])).size > 1 ? undefined : one(rows.slice(0, 1));
}

function one(rows: readonly Row[]): ImageRecord | undefined {
  const row = rows[0];
  return row && record(row);
}

function record(row: Row): ImageRecord {
  const names: unknown = JSON.parse(String(row["names"]));
  return {
    target: parseDigest(String(row["target"])),
    mediaType: String(row["media_type"]),
    id: parseDigest(String(row["id"])),
    names: Array.isArray(names) ? names.map(String) : [],
    addedAt: Number(row["added_at"]),
  };
}
