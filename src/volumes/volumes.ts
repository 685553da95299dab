// SPDX-License-Identifier: Apache-2.0
/*
 *     state.db                  a record for each volume; a folder without one is a volume of an older version
 *     volumes/<name>/data/      what containers see
 *     volumes/<name>/filling    there while files of an image are put into it
 *     volumes/<name>/fill-…/    those files in the making; rubbish after a crash
 *     volumes/.work/            see work.ts
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ensureDirectory, ioError, suggest } from "../base/index.ts";
import { volumeBacking } from "./local-options.ts";
import type { VolumeBacking } from "./local-options.ts";
import { anonymousName, checkVolumeName, looksAnonymous } from "./names.ts";
import { ANONYMOUS_LABEL, recordsOf } from "./record.ts";
import type { VolumeRecord, VolumeStore } from "./record.ts";
import { namesIn, openWork } from "./work.ts";

/** How a volume is made. */
export interface CreateVolume {
  /** Absent: a name is made up, and the volume is an anonymous one. */
  readonly name?: string;
  /** A container makes it by naming it. */
  readonly byContainer?: boolean;
  /** It was named for a container, by nobody. */
  readonly anonymous?: boolean | undefined;
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

/** The containers that have a volume, by name; asked again right before it goes. */
export type VolumeUsers = (name: string) => readonly string[];

/** The folder of a volume. */
export function folderOf({ root }: Pick<VolumeStore, "root">, name: string): string {
  return join(root, "volumes", name);
}

/** The volume's own folder that containers see; a volume of options may have its files elsewhere. */
export function dataPath(store: Pick<VolumeStore, "root">, name: string): string {
  return join(folderOf(store, name), "data");
}

/** All volumes by name. */
export function listVolumes(store: VolumeStore): readonly VolumeRecord[] {
  const known = new Map(recordsOf(store).entries());
  const folders = namesIn(join(store.root, "volumes")).filter((name) => !name.startsWith("."));
  const names = [...new Set([...known.keys(), ...folders])].sort();
  return names.flatMap((name) => known.get(name) ?? recordOfFolder(store, name) ?? []);
}

/** A volume; undefined when there is none of that name. */
export function findVolume(store: VolumeStore, name: string): VolumeRecord | undefined {
  return recordsOf(store).get(name) ?? recordOfFolder(store, name);
}

/** A volume. Throws `E_VOLUME_NOTFOUND`. */
export function requireVolume(store: VolumeStore, name: string, doing: string): VolumeRecord {
  const found = findVolume(store, name);
  if (found) return found;
  const near = suggest(
    name,
    listVolumes(store).map((record) => record.name),
  );
  throw new TareError("E_VOLUME_NOTFOUND", `${doing} \`${name}\`: no such volume`, {
    hint: near === undefined ? "`tare volume ls` lists what there is" : `did you mean \`${near}\`?`,
  });
}

/** Volumes of older versions are folders only. */
function recordOfFolder(store: VolumeStore, name: string): VolumeRecord | undefined {
  if (name === "" || name.startsWith(".") || name.includes("/")) return undefined;
  const facts = fs.statSync(folderOf(store, name), { throwIfNoEntry: false });
  if (!facts?.isDirectory()) return undefined;
  const labels = looksAnonymous(name) ? { [ANONYMOUS_LABEL]: "" } : {};
  return { version: 1, name, createdAt: Math.trunc(facts.birthtimeMs), labels, options: {} };
}

/**
 * Makes a volume; one that exists stays as it is. Throws `E_VOLUME_NAME`, `E_VOLUME_OPTION`, `E_UNSUPPORTED`, and
 * `E_VOLUME_EXISTS` for one with other options than are asked for.
 */
export function createVolume(
  store: VolumeStore,
  request: CreateVolume,
): { readonly record: VolumeRecord; readonly existed: boolean } {
  const { options = {} } = request;
  volumeBacking(options);
  const name = request.name === undefined ? anonymousName() : checkVolumeName(request.name);
  const isUnnamed = request.name === undefined || request.anonymous === true;
  const labels = { ...request.labels, ...(isUnnamed ? { [ANONYMOUS_LABEL]: "" } : {}) };
  const known = findVolume(store, name);
  if (known) requireSameOptions(known, options);
  const origin = request.byContainer === true ? { byContainer: true } : {};
  const made: VolumeRecord = { version: 1, name, createdAt: Date.now(), labels, options, ...origin };
  let record = known ?? made;
  if (!recordsOf(store).get(name)) recordsOf(store).change(name, (before) => (record = before ?? record));
  makeFolder(store, name);
  return { record, existed: known !== undefined };
}

function requireSameOptions(known: VolumeRecord, options: Readonly<Record<string, string>>): void {
  const keys = Object.keys(options);
  if (keys.every((key) => known.options[key] === options[key])) return;
  throw new TareError("E_VOLUME_EXISTS", `making the volume \`${known.name}\`: it exists with other options`, {
    hint: `\`tare volume inspect ${known.name}\` shows them; take another name, or remove it first`,
  });
}

/** Mode 0755 whatever the umask: a program in the container that is not root must get in. */
function makeFolder(store: VolumeStore, name: string): void {
  const data = dataPath(store, name);
  if (fs.existsSync(data)) return;
  try {
    ensureDirectory(folderOf(store, name));
    ensureDirectory(data, 0o755);
    fs.chmodSync(data, 0o755);
  } catch (error) {
    throw ioError(`making the volume \`${name}\``, error);
  }
}

/** Where a volume's files are, and the folder that they are in; undefined for one in memory. */
export function placeOf(
  store: VolumeStore,
  record: VolumeRecord,
): { readonly backing: VolumeBacking; readonly data: string | undefined } {
  const backing = volumeBacking(record.options);
  if (backing.kind === "tmpfs") return { backing, data: undefined };
  return { backing, data: backing.kind === "bind" ? backing.device : dataPath(store, record.name) };
}

/**
 * Removes a volume; false when there was none. What it holds is gone at once, by a rename, be the deletion interrupted
 * or not. A folder of the user's that it only names stays. Throws `E_VOLUME_INUSE`.
 */
export function removeVolume(store: VolumeStore, name: string, users: VolumeUsers): boolean {
  const known = findVolume(store, name);
  if (!known) return false;
  const records = recordsOf(store);
  const work = openWork(store);
  try {
    if (!records.get(name)) records.put(name, known);
    // In a transaction: a container names its volumes in its record before it makes or uses them.
    records.update(name, (record) => {
      const used = users(name);
      if (used.length > 0) throw inUse(name, used);
      moveAway(folderOf(store, name), join(work.folder, "removed"));
      records.remove(name);
      return record;
    });
  } finally {
    work.close();
  }
  return true;
}

function moveAway(from: string, to: string): void {
  try {
    if (fs.existsSync(from)) fs.renameSync(from, to);
  } catch (error) {
    throw ioError(`removing \`${from}\``, error);
  }
}

function inUse(name: string, used: readonly string[]): TareError {
  const who = used.map((container) => `\`${container}\``).join(", ");
  return new TareError("E_VOLUME_INUSE", `removing the volume \`${name}\`: volume is in use by ${who}`, {
    hint: `remove ${used.length === 1 ? "that container" : "those containers"} first (\`tare rm ${used.join(" ")}\`)`,
    details: { containers: used },
  });
}
