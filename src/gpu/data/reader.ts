// SPDX-License-Identifier: Apache-2.0
/* Reads members of a document from outside; each fault names its place. */
import { TareError, valueText } from "../../base/index.ts";
import { isMembers } from "../../oci/index.ts";
import { isDottedVersion } from "../versions.ts";

type Members = Readonly<Record<string, unknown>>;

/** One object of the document. Every member that it may have is asked for, then `finish` refuses the rest. */
export class ObjectReader {
  readonly at: string;
  readonly #members: Members;
  readonly #seen = new Set<string>();

  constructor(value: unknown, at: string) {
    if (!isMembers(value)) throw dataError(at, "is no object");
    this.at = at;
    this.#members = value;
  }

  /** The raw value; undefined when it is absent. */
  take(key: string): unknown {
    this.#seen.add(key);
    return Object.hasOwn(this.#members, key) ? this.#members[key] : undefined;
  }

  keys(): readonly string[] {
    return Object.keys(this.#members);
  }

  place(key: string): string {
    return this.at === "" ? key : `${this.at}.${key}`;
  }

  text(key: string): string {
    return textOf(this.take(key), () => this.place(key));
  }

  textOrNull(key: string): string | null {
    const value = this.take(key);
    return value === null ? null : textOf(value, () => this.place(key));
  }

  version(key: string): string {
    return versionOf(this.take(key), () => this.place(key));
  }

  versionOrNull(key: string): string | null {
    const value = this.take(key);
    return value === null ? null : versionOf(value, () => this.place(key));
  }

  versions(key: string): readonly string[] {
    return this.list(key).map((value, place) => versionOf(value, () => `${this.place(key)}[${place}]`));
  }

  /** Compute capabilities; `9.0a` and `10.0f` are machine code for one GPU or family alone. */
  capabilities(key: string): readonly string[] {
    const list = this.texts(key);
    const wrong = list.find((text) => !/^\d{1,2}\.\d[af]?$/.test(text));
    if (wrong !== undefined)
      throw dataError(this.place(key), `has \`${wrong.slice(0, 40)}\`, which is no compute capability`);
    return list;
  }

  texts(key: string): readonly string[] {
    return this.list(key).map((value, place) => textOf(value, () => `${this.place(key)}[${place}]`));
  }

  list(key: string): readonly unknown[] {
    const value = this.take(key);
    if (!Array.isArray(value)) throw dataError(this.place(key), "is no list");
    return value;
  }

  branches(key: string): readonly number[] {
    return this.list(key).map((value, place) => branchOf(value, () => `${this.place(key)}[${place}]`));
  }

  branch(key: string): number {
    return branchOf(this.take(key), () => this.place(key));
  }

  /** A member that may be absent; never null. */
  optional<T>(key: string, read: (reader: this, key: string) => T): T | undefined {
    return this.take(key) === undefined ? undefined : read(this, key);
  }

  finish(): void {
    const extra = this.keys().find((key) => !this.#seen.has(key));
    if (extra !== undefined) throw dataError(this.place(extra), "is no member that is known");
  }
}

/** An `E_GPU_DATA` error with the place in the document. */
export function dataError(at: string, why: string): TareError {
  return new TareError(
    "E_GPU_DATA",
    `reading GPU compatibility data: ${at === "" ? "the document" : `\`${at}\``} ${why}`,
  );
}

/** Where a value stands; the text is made for errors alone. */
type Place = () => string;

function textOf(value: unknown, at: Place): string {
  if (typeof value !== "string") throw dataError(at(), `is no text but \`${valueText(value).slice(0, 40)}\``);
  return value;
}

/** Dotted numbers, or throws. */
export function versionOf(value: unknown, at: Place): string {
  const text = textOf(value, at);
  if (!isDottedVersion(text)) throw dataError(at(), `is no version: \`${text.slice(0, 40)}\``);
  return text;
}

function branchOf(value: unknown, at: Place): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 9999) {
    throw dataError(at(), `is no branch of drivers: \`${valueText(value).slice(0, 40)}\``);
  }
  return value;
}
