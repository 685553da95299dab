// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ensureDirectory, removeTree } from "../base/index.ts";
import { createIgnore } from "../dockerfile/index.ts";
import { checkout, resolveCommit } from "../solver/index.ts";
import { contentOf } from "./isolated.ts";
import type { DistributionFile, LockedSource, SelectedPackage } from "../python/index.ts";
import type { LocalSource } from "../solver/index.ts";
import type { IsolatedPlace } from "./isolated.ts";

/** The sources of one package. */
export interface WheelSources {
  /** `sha256:…` of an archive or of a folder's files, `git:<commit>`: equal ones are built once. */
  readonly identity: string;
  /** A folder with the project, or with nothing but its archive. */
  readonly files: LocalSource;
  readonly subdirectory?: string;
  /** Removes what was fetched. */
  close(): void;
}

/** What in a folder is made by builds and tools, and is none of its sources. `.git` stays: it may tell the version. */
export const NO_SOURCES: readonly string[] = [
  "**/__pycache__",
  "**/*.pyc",
  "**/.venv",
  "**/venv",
  "**/node_modules",
  "**/*.egg-info",
  "**/.mypy_cache",
  "**/.ruff_cache",
  "**/.pytest_cache",
  "**/.env",
  "**/.env.*",
  "build",
  "dist",
];

/** Brings the sources here. Throws `E_BUILD_WHEEL`, and what fetching and git throw. */
export async function openSources(place: IsolatedPlace, each: SelectedPackage): Promise<WheelSources> {
  const { source, sdist, name } = each;
  if (source?.kind === "vcs") return repository(place, each, source);
  if (source?.kind === "directory") return folder(place, source);
  const file = source?.kind === "archive" ? source.file : sdist;
  if (file)
    return archive(place, name, {
      file,
      ...(source?.subdirectory === undefined ? {} : { subdirectory: source.subdirectory }),
    });
  throw new TareError("E_BUILD_WHEEL", `building a wheel of ${name}: the lock names no sources`, {
    hint: "lock again",
  });
}

async function folder(
  place: IsolatedPlace,
  { path, subdirectory }: Extract<LockedSource, { kind: "directory" }>,
): Promise<WheelSources> {
  if (!fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new TareError("E_BUILD_WHEEL", `building a wheel of the folder \`${path}\`: there is no such folder`, {
      hint: "it stands in the requirements or the lock, relative to the project",
    });
  }
  const files = { root: path, filter: createIgnore(NO_SOURCES) };
  const withoutHistory = { root: path, filter: createIgnore([...NO_SOURCES, ".git"]) };
  const identity = await contentOf(place, withoutHistory);
  const commit = headOf(path);
  return {
    identity: commit === undefined ? String(identity) : `${String(identity)} git:${commit}`,
    files,
    ...(subdirectory === undefined ? {} : { subdirectory }),
    close: () => undefined,
  };
}

/** The commit of a checkout: a version may be made of it. */
function headOf(path: string): string | undefined {
  const read = (name: string): string | undefined => {
    const file = join(path, ".git", name);
    return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ? fs.readFileSync(file, "utf8").trim() : undefined;
  };
  const head = read("HEAD");
  const [, name] = /^ref: (refs\/[\w./-]+)$/.exec(head ?? "") ?? [];
  if (name === undefined) return head;
  return (
    read(name) ??
    read("packed-refs")
      ?.split("\n")
      .find((line) => line.endsWith(` ${name}`))
      ?.split(" ")[0]
  );
}

async function repository(
  { lease, signal }: IsolatedPlace,
  { name }: SelectedPackage,
  source: Extract<LockedSource, { kind: "vcs" }>,
): Promise<WheelSources> {
  if (source.vcs !== "git") {
    throw new TareError("E_BUILD_WHEEL", `building a wheel of ${name}: ${source.vcs} repositories are not supported`, {
      hint: "use git, or an archive's URL",
    });
  }
  const root = join(lease.folder, `source-${name}`);
  const revision = source.requestedRevision === undefined ? {} : { ref: source.requestedRevision };
  const reference = { remote: source.url, ...revision, keepGitDirectory: true };
  ensureDirectory(lease.folder);
  await checkout(reference, await resolveCommit({ remote: source.url, ref: source.commit }, signal), root, signal);
  return {
    identity: `git:${source.commit}`,
    files: { root },
    ...(source.subdirectory === undefined ? {} : { subdirectory: source.subdirectory }),
    close: () => removeTree(root),
  };
}

async function archive(
  { place, lease, signal }: IsolatedPlace,
  name: string,
  { file, subdirectory }: { readonly file: DistributionFile; readonly subdirectory?: string },
): Promise<WheelSources> {
  const [stored] = await (await place.wheels()).fetch([file], { signal });
  if (!stored) throw new Error("fetch gives a file for each");
  const root = join(lease.folder, `source-${name}`);
  ensureDirectory(root, 0o755);
  fs.copyFileSync(stored.path, join(root, file.fileName), fs.constants.COPYFILE_FICLONE);
  return {
    identity: stored.digest,
    files: { root },
    ...(subdirectory === undefined ? {} : { subdirectory }),
    close: () => removeTree(root),
  };
}
