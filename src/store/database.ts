// SPDX-License-Identifier: Apache-2.0
/*
 * state.db: SQLite in WAL mode. Readers take no lock and never wait. Writers are short BEGIN IMMEDIATE transactions;
 * that one write lock is also what keeps prune and the makers of references (names, cache records, containers)
 * apart: prune computes what is reachable and moves the rest away inside one such transaction.
 */
import * as fs from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import { TareError, ioError, messageOf } from "../base/index.ts";
import type { Effects } from "./effects.ts";
import type { StepName } from "./steps.ts";

/** A row as SQLite gives it. */
export type Row = Record<string, SQLOutputValue>;

/** How a database file is opened and laid out. */
export interface DatabaseOptions {
  readonly path: string;
  readonly schema: string;
  /** `user_version`; a file with a greater one is refused. */
  readonly version: number;
  readonly readonly: boolean;
  readonly writeStep: StepName;
}

const BUSY_MILLISECONDS = 20_000;
/** A journal that `leave` has left is read by the next command, so it is kept shorter than SQLite's 1000 pages. */
const JOURNAL_PAGES = 100;

/** A database opened at its first use; `node:sqlite` is not loaded before. */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #effects: Effects;
  readonly #statements = new Map<string, StatementSync>();
  #connection: DatabaseSync | undefined;
  #inTransaction = false;
  #owesFlush = false;

  constructor(options: DatabaseOptions, effects: Effects) {
    this.#options = options;
    this.#effects = effects;
  }

  /** All rows of a query. Takes no lock. */
  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#guard(() => this.#prepare(sql).all(...values));
  }

  /** The first row, or undefined. Takes no lock. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#guard(() => this.#prepare(sql).get(...values));
  }

  /** Runs a statement inside a transaction; returns the number of changed rows. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#guard(() => Number(this.#prepare(sql).run(...values).changes));
  }

  /**
   * Runs `act` in a write transaction; all or nothing. `durable` waits for the disk: needed before something that
   * the old state refers to is deleted, so that a power cut can't bring the reference back without its object.
   */
  write<T>(act: () => T, durable: boolean = false): T {
    this.#owesFlush = true;
    return this.writeLater(act, durable);
  }

  /** The same for what need not outlive a power cut: `leave` does not wait for the disk because of it. */
  writeLater<T>(act: () => T, durable: boolean = false): T {
    if (this.#inTransaction) return act();
    return this.#effects.step(this.#options.writeStep, () => this.#guard(() => this.#transact(act, durable)));
  }

  #transact<T>(act: () => T, durable: boolean): T {
    const connection = this.#open();
    if (durable) connection.exec("PRAGMA synchronous=FULL");
    connection.exec("BEGIN IMMEDIATE");
    this.#inTransaction = true;
    try {
      const result = act();
      connection.exec("COMMIT");
      return result;
    } catch (error) {
      if (connection.isTransaction) connection.exec("ROLLBACK");
      throw error;
    } finally {
      this.#inTransaction = false;
      if (durable) connection.exec("PRAGMA synchronous=NORMAL");
    }
  }

  /** Problems found by SQLite's own check; empty when sound. */
  problems(): string[] {
    const rows = this.all("PRAGMA integrity_check(20)").map((row) => String(row["integrity_check"]));
    return rows.filter((text) => text !== "ok");
  }

  /**
   * For a process that ends now: closes only when something has to be flushed. SQLite writes its journal back when the
   * last connection closes, with three flushes; left to the exit, a later command does it for many at once.
   */
  leave(): void {
    if (this.#owesFlush) this.close();
  }

  close(): void {
    this.#statements.clear();
    this.#connection?.close();
    this.#connection = undefined;
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#open().prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #open(): DatabaseSync {
    this.#connection ??= this.#guard(() => connect(this.#options, this.#effects));
    return this.#connection;
  }

  #guard<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw databaseError(this.#options.path, error);
    }
  }
}

function connect(options: DatabaseOptions, effects: Effects): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  if (options.readonly) return connectReadonly(DatabaseSync, options);
  const connection = new DatabaseSync(options.path, { timeout: BUSY_MILLISECONDS });
  try {
    prepareSchema(connection, options, effects);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** A missing file reads as an empty database. */
function connectReadonly(Connection: typeof DatabaseSync, options: DatabaseOptions): DatabaseSync {
  const exists = fs.statSync(options.path, { throwIfNoEntry: false }) !== undefined;
  const connection = exists
    ? new Connection(options.path, { timeout: BUSY_MILLISECONDS, readOnly: true })
    : new Connection(":memory:");
  const version = exists ? versionOf(connection, options) : 0;
  // A file that is being created has no tables yet: nothing in it either.
  if (version > 0) return connection;
  if (!exists) {
    connection.exec(options.schema);
    return connection;
  }
  connection.close();
  const empty = new Connection(":memory:");
  empty.exec(options.schema);
  return empty;
}

/** Settings per connection, then the tables when they are not there yet. Takes no lock when they are. */
function prepareSchema(connection: DatabaseSync, options: DatabaseOptions, effects: Effects): void {
  connection.exec(`PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=${JOURNAL_PAGES}`);
  if (versionOf(connection, options) === options.version) return;
  effects.step("state.create", () => {
    fs.chmodSync(options.path, 0o600);
    retryBusy(() => connection.exec("PRAGMA journal_mode=WAL"));
    connection.exec("BEGIN IMMEDIATE");
    if (versionOf(connection, options) === 0) {
      connection.exec(options.schema);
      connection.exec(`PRAGMA user_version=${options.version}`);
    }
    connection.exec("COMMIT");
  });
}

function versionOf(connection: DatabaseSync, options: DatabaseOptions): number {
  const version = Number(connection.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version <= options.version) return version;
  const found = `its format is ${version}, this version of Tare knows up to ${options.version}`;
  throw new TareError("E_STORE_VERSION", `opening \`${options.path}\`: ${found}`, {
    hint: "update Tare, or use another store with `--root`",
    details: { found: version, known: options.version },
  });
}

/** Switching to WAL does not honour the busy timeout when several processes create the file at once. */
function retryBusy(act: () => void): void {
  const end = Date.now() + BUSY_MILLISECONDS;
  for (;;) {
    try {
      act();
      return;
    } catch (error) {
      if (resultCodeOf(error) !== SQLITE_BUSY || Date.now() > end) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;

/** The primary SQLite result code of a caught value, or undefined. */
function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

/** SQLite calls it an I/O error when there is no room for its shared memory. */
function isFull(path: string): boolean {
  const { bavail, bsize } = fs.statfsSync(dirname(path));
  return bavail * bsize < 1024 * 1024;
}

function databaseError(path: string, error: unknown): unknown {
  const code = resultCodeOf(error);
  if (code === undefined) return error;
  const doing = `using \`${path}\``;
  if (code === SQLITE_FULL || (code === SQLITE_IOERR && isFull(path)))
    return ioError(doing, Object.assign(new Error(messageOf(error)), { code: "ENOSPC" }));
  if (code === SQLITE_BUSY || code === SQLITE_LOCKED) {
    return new TareError("E_STORE_LOCKED", `${doing}: another command holds its write lock for over 20 s`, {
      hint: "wait for it or end it; `fuser -v` on the file names the process",
      cause: error,
    });
  }
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
    return new TareError("E_STORE_DAMAGED", `${doing}: ${messageOf(error)}`, {
      hint: "run `tare system fsck --repair`",
      cause: error,
    });
  }
  return ioError(doing, error);
}
