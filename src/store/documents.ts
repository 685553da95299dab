// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../base/index.ts";
import type { StoreContext } from "./context.ts";
import type { Row } from "./database.ts";
import type { DocumentStore } from "./types.ts";

/**
 * JSON documents of one kind in state.db. `T` must survive JSON; the caller owns its shape and its migrations. With
 * `lasting` false the changes may be lost in a power cut.
 */
export function documentStore<T>(context: StoreContext, kind: string, lasting: boolean): DocumentStore<T> {
  const { database } = context;
  const write = <R>(act: () => R): R => (lasting ? database.write(act) : database.writeLater(act));
  const select = "SELECT id, value FROM documents WHERE kind = ?";
  return {
    get: (id) => value<T>(database.get(`${select} AND id = ?`, kind, id)),
    find: (text) => find<T>(context, kind, text),
    list: () =>
      database.all(`${select} ORDER BY created_at, id`, kind).flatMap((row) => {
        const known = value<T>(row);
        return known === undefined ? [] : [known];
      }),
    entries: () =>
      database.all(`${select} ORDER BY created_at, id`, kind).flatMap((row) => {
        const known = value<T>(row);
        return known === undefined ? [] : [[String(row["id"]), known] as const];
      }),
    insert: (id, name, document) => write(() => insert(context, kind, { id, name, document })),
    put: (id, document) => write(() => put(context, kind, { id, document })),
    change: (id, change) =>
      write(() => {
        const before = value<T>(database.get(`${select} AND id = ?`, kind, id));
        put(context, kind, { id, document: change(before) });
      }),
    update: (id, change) =>
      write(() => {
        const known = value<T>(database.get(`${select} AND id = ?`, kind, id));
        if (known === undefined) return undefined;
        const changed = change(known);
        database.run("UPDATE documents SET value = ? WHERE kind = ? AND id = ?", JSON.stringify(changed), kind, id);
        return changed;
      }),
    rename: (id, name, change = (known) => known) =>
      write(() => {
        const known = value<T>(database.get(`${select} AND id = ?`, kind, id));
        if (known === undefined) return false;
        rename(context, kind, { id, name, document: change(known) });
        return true;
      }),
    remove: (id) => {
      write(() => database.run("DELETE FROM documents WHERE kind = ? AND id = ?", kind, id));
    },
  };
}

function value<T>(row: Row | undefined): T | undefined {
  // Written by `insert` or `update` of the same kind, so of the caller's type.
  return row && (JSON.parse(String(row["value"])) as T);
}

function find<T>(context: StoreContext, kind: string, text: string): T | undefined {
  const { database } = context;
  const select = "SELECT id, value FROM documents WHERE kind = ?";
  const exact = database.get(`${select} AND id = ?`, kind, text) ?? database.get(`${select} AND name = ?`, kind, text);
  if (exact || text === "") return value<T>(exact);
  const rows = database.all(`${select} AND substr(id, 1, ?) = ? LIMIT 3`, kind, text.length, text);
  if (rows.length < 2) return value<T>(rows[0]);
  throw new TareError("E_AMBIGUOUS", `looking up ${kind} \`${text}\`: the short id fits more than one`, {
    hint: "give more digits of the id",
    details: { ids: rows.map((row) => row["id"]) },
  });
}

function insert(
  context: StoreContext,
  kind: string,
  entry: { readonly id: string; readonly name: string | undefined; readonly document: unknown },
): void {
  const { database } = context;
  requireFreeName(context, kind, entry);
  if (database.get("SELECT id FROM documents WHERE kind = ? AND id = ?", kind, entry.id)) {
    throw new Error(`bug: ${kind} ${entry.id} exists`);
  }
  const sql = "INSERT INTO documents (kind, id, name, value, created_at) VALUES (?, ?, ?, ?, ?)";
  database.run(sql, kind, entry.id, entry.name ?? null, JSON.stringify(entry.document), Date.now());
}

function put(context: StoreContext, kind: string, entry: { readonly id: string; readonly document: unknown }): void {
  const sql = `
    INSERT INTO documents (kind, id, name, value, created_at) VALUES (?, ?, NULL, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value`;
  context.database.run(sql, kind, entry.id, JSON.stringify(entry.document), Date.now());
}

function rename(
  context: StoreContext,
  kind: string,
  entry: { readonly id: string; readonly name: string; readonly document: unknown },
): void {
  requireFreeName(context, kind, entry);
  const sql = "UPDATE documents SET name = ?, value = ? WHERE kind = ? AND id = ?";
  context.database.run(sql, entry.name, JSON.stringify(entry.document), kind, entry.id);
}

function requireFreeName(
  context: StoreContext,
  kind: string,
  entry: { readonly id: string; readonly name: string | undefined },
): void {
  if (entry.name === undefined) return;
  const row = context.database.get("SELECT id FROM documents WHERE kind = ? AND name = ?", kind, entry.name);
  if (!row || row["id"] === entry.id) return;
  throw new TareError(
    "E_NAME_TAKEN",
    `naming ${kind} \`${entry.name}\`: ${kind} \`${String(row["id"])}\` has that name`,
    {
      hint: `remove or rename that ${kind}, or take another name`,
      details: { id: row["id"], name: entry.name },
    },
  );
}
