// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { TareError, ioError } from "../base/index.ts";
import type { SecretSource } from "./request.ts";

/** Docker's limit; a secret is a password or a key, not a file to copy. */
const SECRET_LIMIT = 500 * 1024;

/** What is outside the Dockerfile but on this host. */
export interface SecretPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Secrets by id, read when a step asks. A file that is missing is an error now, before anything is built. */
export function openSecrets(
  sources: readonly SecretSource[],
  place: SecretPlace,
): ReadonlyMap<string, () => Buffer | undefined> {
  return new Map(sources.map((source) => [source.id, reader(source, place)]));
}

function reader(source: SecretSource, place: SecretPlace): () => Buffer | undefined {
  if (source.env !== undefined) return fromEnvironment(place, source.env);
  if (source.file !== undefined) return fromFile(source.id, resolve(place.cwd, untilde(source.file)));
  const byId = fromEnvironment(place, source.id);
  return byId() === undefined ? fromFile(source.id, resolve(place.cwd, source.id)) : byId;
}

function fromEnvironment(place: SecretPlace, name: string): () => Buffer | undefined {
  const value = place.env[name];
  return () => (value === undefined ? undefined : Buffer.from(value));
}

function fromFile(id: string, path: string): () => Buffer {
  const stats = fs.statSync(path, { throwIfNoEntry: false });
  if (!stats)
    throw new TareError("E_SECRET", `secret ${id}: \`${path}\` does not exist`, { hint: "check `src=` of `--secret`" });
  if (!stats.isFile()) throw new TareError("E_SECRET", `secret ${id}: \`${path}\` is not a file`);
  if (stats.size > SECRET_LIMIT)
    throw new TareError("E_SECRET", `secret ${id}: ${stats.size} bytes are more than ${SECRET_LIMIT}`);
  return () => {
    try {
      return fs.readFileSync(path);
    } catch (error) {
      throw ioError(`reading secret ${id}`, error);
    }
  };
}

/** A path as a shell would read it: `~` is the user's home. */
export function untilde(path: string): string {
  return path === "~" || path.startsWith("~/") ? homedir() + path.slice(1) : path;
}
