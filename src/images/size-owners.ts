// SPDX-License-Identifier: Apache-2.0
/*
 * Whose files are whose: Python distributions by the RECORD in their .dist-info (recording installed projects), packages
 * of Debian by /var/lib/dpkg/info/*.list. Of two that claim a file the first has it; a distribution goes before a
 * package.
 */
import * as fs from "node:fs";
import { posix } from "node:path";
import { normalizeName, parseRecord } from "../python/index.ts";
import type { ScannedFile } from "./size-scan.ts";
import type { OwnerKind } from "./size-types.ts";

/** A distribution or package, or a folder of what belongs to neither. */
export interface Owner {
  readonly kind: OwnerKind;
  readonly name: string;
  readonly version: string;
  /** The .dist-info or the list of files, without leading slash. */
  readonly path: string;
}

/** The visible files of an image by path without leading slash. */
export type FilesByPath = ReadonlyMap<string, ScannedFile>;

/** The owner of each owned file. Damaged or missing metadata leaves files without an owner; nothing is thrown for it. */
export function findOwners(files: FilesByPath): ReadonlyMap<string, Owner> {
  const owners = new Map<string, Owner>();
  const infos = new Map<string, ScannedFile[]>();
  const lists: ScannedFile[] = [];
  for (const file of files.values()) {
    const [, info] = /^(.*\.dist-info)\/[^/]+$/.exec(file.path) ?? [];
    if (info !== undefined) infos.set(info, [...(infos.get(info) ?? []), file]);
    else if (/^var\/lib\/dpkg\/info\/[^/]+\.list$/.test(file.path)) lists.push(file);
  }
  for (const [info, own] of infos) claimDistribution(owners, files, { info, own });
  claimBytecode(owners, files);
  claimPackages(owners, files, lists);
  return owners;
}

function claimDistribution(
  owners: Map<string, Owner>,
  files: FilesByPath,
  { info, own }: { readonly info: string; readonly own: readonly ScannedFile[] },
): void {
  const text = (name: string): string => textOf(files.get(`${info}/${name}`));
  const [, folderName = "", folderVersion = ""] = /([^/-]+)-([^/]+)\.dist-info$/.exec(info) ?? [];
  const metadata = text("METADATA").split(/\r?\n\r?\n/, 1)[0] ?? "";
  const name = /^Name:\s*(\S+)/im.exec(metadata)?.[1] ?? folderName;
  const version = /^Version:\s*(\S+)/im.exec(metadata)?.[1] ?? folderVersion;
  const owner: Owner = { kind: "distribution", name: normalizeName(name), version, path: info };
  const library = posix.dirname(info);
  for (const row of parseRecord(text("RECORD")) ?? []) {
    const path = posix.resolve(`/${library}`, row.path).slice(1);
    if (files.has(path) && !owners.has(path)) owners.set(path, owner);
  }
  for (const { path } of own) if (!owners.has(path)) owners.set(path, owner);
}

/** Compiled modules that no RECORD lists belong to the owner of their source (PEP 3147). */
function claimBytecode(owners: Map<string, Owner>, files: FilesByPath): void {
  for (const path of files.keys()) {
    if (!path.endsWith(".pyc") || owners.has(path)) continue;
    const [, folder, module] = /^(.*)\/__pycache__\/([^/]+?)\.[^/.]+(?:\.opt-\d)?\.pyc$/.exec(path) ?? [];
    const owner = folder === undefined ? undefined : owners.get(`${folder}/${module}.py`);
    if (owner) owners.set(path, owner);
  }
}

function claimPackages(owners: Map<string, Owner>, files: FilesByPath, lists: readonly ScannedFile[]): void {
  if (lists.length === 0) return;
  const versions = debianVersions(textOf(files.get("var/lib/dpkg/status")));
  for (const list of lists) {
    const [name = ""] = posix.basename(list.path, ".list").split(":");
    const owner: Owner = { kind: "package", name, version: versions.get(name) ?? "", path: list.path };
    for (const line of textOf(list).split("\n")) {
      // /lib and /bin lead to /usr on systems of today, where the list may still have the short form.
      const path = [line.slice(1), `usr${line}`].find((candidate) => files.has(candidate));
      if (path !== undefined && !owners.has(path)) owners.set(path, owner);
    }
    if (!owners.has(list.path)) owners.set(list.path, owner);
  }
  claimBytecode(owners, files);
}

function debianVersions(status: string): ReadonlyMap<string, string> {
  const versions = new Map<string, string>();
  for (const paragraph of status.split("\n\n")) {
    const name = /^Package: (.*)$/m.exec(paragraph)?.[1];
    const version = /^Version: (.*)$/m.exec(paragraph)?.[1];
    if (name !== undefined && version !== undefined) versions.set(name, version);
  }
  return versions;
}

const LARGEST = 64 << 20;

function textOf(file: ScannedFile | undefined): string {
  return file === undefined || file.size > LARGEST ? "" : fs.readFileSync(file.hostPath, "utf8");
}
