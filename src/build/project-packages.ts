// SPDX-License-Identifier: Apache-2.0
/*
 * Packages whose sources lie in the project: those that need no build are installed where they lie in the image, as an
 * editable install is, by anyone and in no time; the others are built as any package that comes as sources.
 */
import * as fs from "node:fs";
import { join, relative, sep } from "node:path";
import { ensureDirectory, removeTree } from "../base/index.ts";
import { inPlaceWheel, normalizeName } from "../python/index.ts";
import { readPackage } from "../project/index.ts";
import { folderReader } from "./project-reader.ts";
import { APP } from "./project-paths.ts";
import type { OwnPackage } from "../project/index.ts";
import type { SelectedPackage, WheelRef } from "../python/index.ts";
import type { ProjectBuild } from "./project-build.ts";

/** The packages of a lock, told apart. */
export interface SplitPackages {
  /** Those that come from elsewhere, or have to be built. */
  readonly others: readonly SelectedPackage[];
  /** Those that lie in the image's sources; `folder` is relative to the project. */
  readonly inPlace: readonly { readonly wheel: WheelRef; readonly folder: string }[];
  /** Normalised name of the project itself, when it is a package. */
  readonly ownName: string | undefined;
}

/** Tells them apart, and adds the project itself when it is a package. Throws `E_PYPROJECT`. */
export async function splitPackages(build: ProjectBuild, selected: readonly SelectedPackage[]): Promise<SplitPackages> {
  const { own } = build.project;
  const others: SelectedPackage[] = [];
  const inPlace: { readonly wheel: WheelRef; readonly folder: string }[] = [];
  const isOwn = (each: SelectedPackage): boolean => folderIn(build.root, each) === "";
  // The lock knows the name also where only a build tells it.
  const project = own && (selected.find(isOwn) ?? itself(build.root, own));
  for (const each of [...selected.filter((one) => !isOwn(one)), ...(project ? [project] : [])]) {
    const folder = folderIn(build.root, each);
    const form = folder === undefined ? undefined : formOf(build, folder);
    if (form?.kind === "in-place") inPlace.push({ wheel: await install(build, form), folder: form.folder });
    else others.push(folder === undefined ? each : { ...each, direct: directOf(folder, false) });
  }
  return { others, inPlace, ownName: project?.name };
}

/** Where in the project a package's sources are; undefined when they are not in it. */
function folderIn(root: string, { source }: SelectedPackage): string | undefined {
  if (source?.kind !== "directory") return undefined;
  const folder = relative(root, join(source.path, source.subdirectory ?? ""));
  return folder === ".." || folder.startsWith(`..${sep}`) ? undefined : folder.split(sep).join("/");
}

function itself(root: string, { name }: OwnPackage): SelectedPackage {
  const source = { kind: "directory", path: root, isEditable: true } as const;
  return { name: normalizeName(name), source, isRequested: true, dependencies: [] };
}

function formOf({ root, project }: ProjectBuild, folder: string): OwnPackage | undefined {
  return folder === "" ? project.own : readPackage(folderReader(root), { folder, isWanted: true });
}

/** Makes the wheel that points at the sources. */
async function install(
  { place, lease, signal }: ProjectBuild,
  form: Extract<OwnPackage, { kind: "in-place" }>,
): Promise<WheelRef> {
  const paths = form.roots.map((root) => [APP, form.folder, root].filter((part) => part !== "").join("/"));
  const { fileName, bytes } = inPlaceWheel({ ...form, paths });
  const folder = join(lease.folder, "in-place");
  ensureDirectory(folder);
  const path = join(folder, fileName);
  fs.writeFileSync(path, bytes);
  const [stored] = await (await place.wheels()).fetch([{ fileName, path }], { signal });
  removeTree(folder);
  if (!stored) throw new Error("fetch gives a file for each");
  const { digest, size } = stored;
  const { name, version } = form;
  const direct = directOf(form.folder, true);
  return { name: normalizeName(name), version, fileName, digest, size, isRequested: true, direct };
}

/** PEP 610, by the place in the image. */
function directOf(folder: string, isEditable: boolean): Readonly<Record<string, unknown>> {
  const url = `file://${[APP, folder].filter((part) => part !== "").join("/")}`;
  return { dir_info: isEditable ? { editable: true } : {}, url };
}
