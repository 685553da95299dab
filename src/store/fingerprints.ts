// SPDX-License-Identifier: Apache-2.0
import type { Digest } from "../base/index.ts";
import { Database } from "./database.ts";
import type { Effects } from "./effects.ts";
import type { Fingerprint, FingerprintPart } from "./fingerprint-codec.ts";
import { decodePart, encodePart } from "./fingerprint-codec.ts";
import type { Layout } from "./layout.ts";
import { FINGERPRINTS_SCHEMA, FINGERPRINTS_VERSION } from "./schema.ts";
import type { FileStamp, FingerprintMemo, FingerprintRoot } from "./types.ts";

/** A file changed this recently may change again within the same timestamp. */
const RACY_NANOSECONDS = 2_000_000_000n;
/** More parts than this, or new entries making up a quarter, are packed into one. */
const MAX_PARTS = 8;
/** When a root is packed, files that nobody asked for are dropped beyond this many. */
const MAX_UNUSED = 100_000;

/** A memo in fingerprints.db, apart from state.db: it is large, and losing it costs only time. */
export function fingerprintMemo(
  layout: Layout,
  effects: Effects,
  readonly: boolean,
): FingerprintMemo & { close(): void } {
  const options = {
    path: layout.fingerprints,
    schema: FINGERPRINTS_SCHEMA,
    version: FINGERPRINTS_VERSION,
    readonly,
    writeStep: "fingerprints.write" as const,
  };
  const database = new Database(options, effects);
  return { open: (root) => new RootMemo(database, root, readonly), close: () => database.close() };
}

interface Position {
  readonly part: FingerprintPart;
  readonly index: number;
}

class RootMemo implements FingerprintRoot {
  readonly #database: Database;
  readonly #root: string;
  readonly #readonly: boolean;
  readonly #known = new Map<string, Position>();
  readonly #used = new Set<string>();
  readonly #fresh = new Map<string, Fingerprint>();
  #parts = 0;

  constructor(database: Database, root: string, readonly: boolean) {
    this.#database = database;
    this.#root = root;
    this.#readonly = readonly;
    for (const row of database.all("SELECT data FROM parts WHERE root = ? ORDER BY part", root)) {
      const part = row["data"] instanceof Uint8Array ? decodePart(row["data"]) : undefined;
      for (const [index, path] of (part?.paths ?? []).entries()) if (part) this.#known.set(path, { part, index });
      this.#parts += 1;
    }
  }

  get(path: string, stamp: FileStamp): Digest | undefined {
    const position = this.#known.get(path);
    if (!position?.part.matches(position.index, stamp)) return undefined;
    this.#used.add(path);
    return position.part.digest(position.index);
  }

  set(path: string, stamp: FileStamp, digest: Digest): void {
    const now = BigInt(Date.now()) * 1_000_000n;
    // Every change of content moves ctime, which no program can set.
    if (now - stamp.ctime < RACY_NANOSECONDS) return;
    this.#fresh.set(path, { path, stamp, digest });
  }

  save(): void {
    if (this.#fresh.size === 0 || this.#readonly) return;
    const pack = this.#parts >= MAX_PARTS || this.#fresh.size * 4 >= this.#known.size;
    const entries = pack ? this.#merged() : [...this.#fresh.values()];
    const data = encodePart(entries);
    this.#database.write(() => {
      const sql = "SELECT coalesce(max(part), 0) + 1 AS next FROM parts WHERE root = ?";
      const next = Number(this.#database.get(sql, this.#root)?.["next"] ?? 1);
      if (pack) this.#database.run("DELETE FROM parts WHERE root = ?", this.#root);
      const insert = "INSERT INTO parts (root, part, entries, saved_at, data) VALUES (?, ?, ?, ?, ?)";
      this.#database.run(insert, this.#root, next, entries.length, Date.now(), data);
    });
    this.#remember(data, pack);
  }

  #merged(): Fingerprint[] {
    const crowded = this.#known.size - this.#used.size > MAX_UNUSED;
    const old = [...this.#known].filter(([path]) => !this.#fresh.has(path) && (!crowded || this.#used.has(path)));
    return [...old.map(([, { part, index }]) => part.entry(index)), ...this.#fresh.values()];
  }

  #remember(data: Uint8Array, packed: boolean): void {
    this.#parts = packed ? 1 : this.#parts + 1;
    const part = decodePart(data);
    for (const [index, path] of (part?.paths ?? []).entries()) if (part) this.#known.set(path, { part, index });
    this.#fresh.clear();
  }
}
