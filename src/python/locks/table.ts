// SPDX-License-Identifier: Apache-2.0
/* TOML values of lock files, taken out with a clear error where they are of another kind. */
import { TareError, isDigest } from "../../base/index.ts";
import { parseMarker } from "../requirements/markers.ts";
import type { Digest } from "../../base/index.ts";
import type { Marker } from "../requirements/types.ts";

/** A table of a lock file and where it stands, for messages. */
export class Table {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly place: string;

  constructor(values: unknown, place: string) {
    if (!isRecord(values)) throw lockError(place, "it is not a table");
    this.#values = values;
    this.place = place;
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined;
  }

  text(key: string): string | undefined {
    const value = this.#values[key];
    if (value === undefined || typeof value === "string") return value;
    throw lockError(this.place, `\`${key}\` is not a string`);
  }

  required(key: string): string {
    const value = this.text(key);
    if (value === undefined || value === "") throw lockError(this.place, `\`${key}\` is missing`);
    return value;
  }

  flag(key: string): boolean {
    return this.#values[key] === true;
  }

  size(key: string): number | undefined {
    const value = this.#values[key];
    if (typeof value === "bigint") return Number(value);
    return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  }

  texts(key: string): readonly string[] {
    const value = this.#values[key] ?? [];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw lockError(this.place, `\`${key}\` is not a list of strings`);
  }

  table(key: string): Table | undefined {
    return this.has(key) ? new Table(this.#values[key], `${this.place}, ${key}`) : undefined;
  }

  tables(key: string): readonly Table[] {
    const value = this.#values[key] ?? [];
    if (!Array.isArray(value)) throw lockError(this.place, `\`${key}\` is not a list`);
    return value.map((item, index) => new Table(item, `${this.place}, ${key}[${index}]`));
  }

  /** The names of the values that are there. */
  keys(): readonly string[] {
    return Object.keys(this.#values);
  }

  marker(key: string): Marker | undefined {
    const text = this.text(key);
    return text === undefined || text === "" ? undefined : parseMarker(text);
  }

  raw(): Readonly<Record<string, unknown>> {
    return this.#values;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A lock that can't be used. */
export function lockError(place: string, why: string): TareError {
  return new TareError("E_LOCK", `reading ${place}: ${why}`, {
    hint: "make it again with the tool that wrote it, or by `tare lock`",
  });
}

/** `sha256:…` from a hexadecimal digest, or from one that says its algorithm. */
export function sha256Of(text: string | undefined): Digest | undefined {
  const digest = text === undefined ? "" : text.includes(":") ? text : `sha256:${text}`;
  return isDigest(digest) && digest.startsWith("sha256:") ? digest : undefined;
}
