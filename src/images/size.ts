// SPDX-License-Identifier: Apache-2.0
import { sumLeftOut, wheelLayer } from "../python/index.ts";
import type { Layer, Store } from "../store/index.ts";
import type { ImageDetails } from "./details.ts";
import { shortName } from "./image-names.ts";
import { findDeadWeight } from "./size-dead.ts";
import { findDuplicates } from "./size-duplicates.ts";
import { findOwners } from "./size-owners.ts";
import type { Owner } from "./size-owners.ts";
import { isSharedObject, scanLayers } from "./size-scan.ts";
import type { ScannedFile } from "./size-scan.ts";
import type {
  DirectorySize,
  DistributionSize,
  HiddenBytes,
  ImageSize,
  LayerSize,
  OwnedBytes,
  PackageSize,
  SharedObject,
} from "./size-types.ts";

const MOST_HIDDEN = 100;
/** How many names deep folders are told apart. */
const DEPTH = 3;

/** Says where the bytes of an image are; nothing is written, and no root is needed. Throws `E_IO`, `E_ABORTED`. */
export function measureImage(store: Store, details: ImageDetails, signal?: AbortSignal): ImageSize {
  const scanned = scanLayers(details.layers, signal);
  const all = scanned.flat();
  const visible = all.filter(({ isHidden }) => !isHidden);
  const owners = findOwners(new Map(visible.map((file) => [file.path, file])));
  const created = createdBy(details);
  return {
    names: details.record.names.map(shortName),
    id: details.id,
    size: sum(all),
    merged: sum(visible),
    files: visible.length,
    layers: details.layers.map((layer, index) => ({
      ...layerFacts(store, layer, scanned[index] ?? [], owners),
      index,
      createdBy: created[index] ?? "",
    })),
    distributions: distributionsOf(visible, owners),
    packages: packagesOf(visible, owners),
    sharedObjects: sharedObjectsOf(visible, owners),
    directories: directoriesOf(visible.filter(({ path }) => !owners.has(path))),
    duplicates: findDuplicates(visible, signal),
    hidden: hiddenOf(all),
    deadWeight: findDeadWeight(visible, owners),
    leftOut: sumLeftOut(details.layers.flatMap(({ diffId }) => wheelLayer(store, diffId)?.leftOut ?? [])),
  };
}

function sum(files: readonly ScannedFile[]): number {
  return files.reduce((total, { size }) => total + size, 0);
}

/** What made each layer, lowest first. */
function createdBy({ config }: ImageDetails): readonly string[] {
  const steps = (config.history ?? []).filter((entry) => entry.empty_layer !== true);
  return steps.map((entry) => entry.created_by ?? entry.comment ?? "");
}

function layerFacts(
  store: Store,
  { diffId }: Layer,
  files: readonly ScannedFile[],
  owners: ReadonlyMap<string, Owner>,
): Omit<LayerSize, "index" | "createdBy"> {
  const wheels = wheelLayer(store, diffId)?.wheels ?? [];
  const hidden = files.filter(({ isHidden }) => isHidden);
  return {
    diffId,
    size: sum(files),
    files: files.length,
    hidden: sum(hidden),
    wheels: wheels.map(({ name, version }) => `${name} ${version}`),
    parts: partsOf(
      files.filter(({ isHidden }) => !isHidden),
      owners,
    ),
  };
}

function partsOf(files: readonly ScannedFile[], owners: ReadonlyMap<string, Owner>): readonly OwnedBytes[] {
  const parts = [...byOwner(files, owners)].map(([{ kind, name, version }, own]): OwnedBytes => {
    return { kind, name, ...(version === "" ? {} : { version }), size: sum(own), files: own.length };
  });
  const free = files.filter(({ path }) => !owners.has(path));
  const folders = Map.groupBy(free, ({ path }) => folderOf(path, 1));
  for (const [name, own] of folders) parts.push({ kind: "directory", name, size: sum(own), files: own.length });
  return bySize(parts);
}

/** The folder of a file, cut to some names. */
function folderOf(path: string, depth: number): string {
  return `/${path.split("/").slice(0, -1).slice(0, depth).join("/")}`;
}

function byOwner(
  files: readonly ScannedFile[],
  owners: ReadonlyMap<string, Owner>,
): ReadonlyMap<Owner, readonly ScannedFile[]> {
  const groups = new Map<Owner, ScannedFile[]>();
  for (const file of files) {
    const owner = owners.get(file.path);
    if (!owner) continue;
    const group = groups.get(owner);
    if (group) group.push(file);
    else groups.set(owner, [file]);
  }
  return groups;
}

function bySize<T extends { readonly size: number; readonly name?: string; readonly path?: string }>(
  rows: readonly T[],
): readonly T[] {
  const key = ({ name, path }: T): string => name ?? path ?? "";
  return rows.toSorted((a, b) => b.size - a.size || (key(a) < key(b) ? -1 : 1));
}

function distributionsOf(
  files: readonly ScannedFile[],
  owners: ReadonlyMap<string, Owner>,
): readonly DistributionSize[] {
  const rows = [...byOwner(files, owners)].flatMap(([owner, own]): DistributionSize[] => {
    if (owner.kind !== "distribution") return [];
    const { name, version, path } = owner;
    const layers = [...new Set(own.map(({ layer }) => layer))].sort((a, b) => a - b);
    const bytecode = sum(own.filter((file) => file.path.endsWith(".pyc")));
    return [{ name, version, path: `/${path}`, size: sum(own), files: own.length, bytecode, layers }];
  });
  return bySize(rows);
}

function packagesOf(files: readonly ScannedFile[], owners: ReadonlyMap<string, Owner>): readonly PackageSize[] {
  const rows = [...byOwner(files, owners)].flatMap(([{ kind, name, version }, own]): PackageSize[] =>
    kind === "package" ? [{ name, version, size: sum(own), files: own.length }] : [],
  );
  return bySize(rows);
}

function sharedObjectsOf(files: readonly ScannedFile[], owners: ReadonlyMap<string, Owner>): readonly SharedObject[] {
  const libraries = files.filter(({ path, isLink }) => !isLink && isSharedObject(path));
  const rows = libraries.map(({ path, size, layer }): SharedObject => {
    const owner = owners.get(path)?.name;
    return { path: `/${path}`, size, layer, ...(owner === undefined ? {} : { owner }) };
  });
  return bySize(rows);
}

/** Every folder down to some depth with all that is below it. */
function directoriesOf(files: readonly ScannedFile[]): readonly DirectorySize[] {
  const folders = new Map<string, { size: number; files: number }>();
  for (const { path, size } of files) {
    const deepest = Math.min(path.split("/").length - 1, DEPTH);
    for (let depth = Math.min(1, deepest); depth <= deepest; depth += 1) {
      const name = folderOf(path, depth);
      const known = folders.get(name) ?? { size: 0, files: 0 };
      folders.set(name, { size: known.size + size, files: known.files + 1 });
    }
  }
  return bySize([...folders].map(([path, totals]) => ({ path, ...totals })));
}

function hiddenOf(files: readonly ScannedFile[]): HiddenBytes {
  const hidden = files.filter(({ isHidden }) => isHidden);
  const rows = bySize(hidden.map(({ path, size, layer }) => ({ path: `/${path}`, size, layer })));
  return { size: sum(hidden), files: hidden.length, largest: rows.slice(0, MOST_HIDDEN) };
}
