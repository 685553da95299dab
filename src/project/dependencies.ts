// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { parse } from "smol-toml";
import { TareError, messageOf } from "../base/index.ts";
import { normalizeName, readRequirements } from "../python/index.ts";
import type { PyprojectFile } from "../python/index.ts";
import type { Dependencies, ProjectReader } from "./types.ts";

/** Files of dependencies, the most exact first. */
const LOCKS = ["pylock.toml", "uv.lock"];

/** Where the dependencies are written. `groups` and `extras` are those of the configuration. */
export function findDependencies(
  reader: ProjectReader,
  pyproject: PyprojectFile | undefined,
  folder: string,
): Dependencies {
  const requested = requestedNames(reader, pyproject, folder);
  for (const file of LOCKS) {
    if (reader.read(file) !== undefined) return { kind: "lock", files: [file], reason: `${file} is there`, requested };
  }
  return findUnlocked(reader, pyproject, requested);
}

/** The same without the locks that Tare and uv write. */
export function findUnlocked(
  reader: ProjectReader,
  pyproject: PyprojectFile | undefined,
  requested: readonly string[],
): Dependencies {
  const poetry = reader.read("poetry.lock");
  if (poetry !== undefined) {
    return {
      kind: "pins",
      files: ["poetry.lock"],
      reason: "poetry.lock is there",
      requested,
      pins: poetryPins(poetry),
    };
  }
  const pipfile = reader.read("Pipfile.lock");
  if (pipfile !== undefined) {
    return {
      kind: "pins",
      files: ["Pipfile.lock"],
      reason: "Pipfile.lock is there",
      requested,
      pins: pipfilePins(pipfile),
    };
  }
  for (const file of ["requirements.lock", "requirements.txt"]) {
    if (reader.read(file) !== undefined)
      return { kind: "requirements", files: [file], reason: `${file} is there`, requested };
  }
  if (
    pyproject?.project &&
    (pyproject.project.dependencies.length > 0 || pyproject.project.dynamic.includes("dependencies"))
  ) {
    return { kind: "pyproject", files: ["pyproject.toml"], reason: "pyproject.toml names them", requested };
  }
  return { kind: "none", files: [], reason: "no file names any", requested };
}

/** Names that the user wrote himself: they get a REQUESTED file, and decide what may serve the application. */
function requestedNames(
  reader: ProjectReader,
  pyproject: PyprojectFile | undefined,
  folder: string,
): readonly string[] {
  const names = new Set<string>();
  for (const { requirement } of pyproject?.project?.dependencies ?? []) names.add(requirement.name);
  for (const { requirement } of pyproject?.poetry?.dependencies ?? []) names.add(requirement.name);
  for (const file of ["requirements.in", "requirements.txt"]) {
    if (reader.read(file) === undefined) continue;
    const read = (path: string): string | undefined =>
      reader.read(path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path);
    const { requirements } = readRequirements(join(folder, file), { read, env: {}, cwd: folder });
    for (const { requirement } of requirements) if (requirement) names.add(requirement.name);
    break;
  }
  return [...names];
}

/** poetry.lock to requirements with hashes; development groups are left out. */
function poetryPins(text: string): readonly string[] {
  const packages = tomlTable(text, "poetry.lock")["package"];
  return list(packages).flatMap((each) => {
    const groups = each["groups"];
    if (Array.isArray(groups) && !groups.includes("main")) return [];
    if (each["category"] === "dev" || each["optional"] === true) return [];
    const hashes = list(each["files"]).map((file) => String(file["hash"] ?? ""));
    const markers = each["markers"];
    const marker = typeof markers === "string" ? markers : (record(markers)["main"] as string | undefined);
    return [pin(String(each["name"]), String(each["version"]), hashes, marker)];
  });
}

/** Pipfile.lock (a JSON file) to requirements with hashes; `develop` is left out. */
function pipfilePins(text: string): readonly string[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new TareError("E_LOCK", `reading \`Pipfile.lock\`: ${messageOf(error)}`, {
      hint: "make it again with `pipenv lock`",
    });
  }
  return Object.entries(record(record(document)["default"])).flatMap(([name, value]) => {
    const entry = record(value);
    const version = String(entry["version"] ?? "").replace(/^==/, "");
    if (version === "")
      throw new TareError("E_LOCK", `reading \`Pipfile.lock\`: \`${name}\` has no version`, {
        hint: "packages from folders and repositories need a pylock.toml: `tare lock`",
      });
    const hashes = Array.isArray(entry["hashes"]) ? entry["hashes"].map(String) : [];
    const marker = entry["markers"];
    return [pin(name, version, hashes, typeof marker === "string" ? marker : undefined)];
  });
}

function pin(name: string, version: string, hashes: readonly string[], marker: string | undefined): string {
  const sha256 = hashes.filter((hash) => hash.startsWith("sha256:")).map((hash) => ` --hash=${hash}`);
  return `${normalizeName(name)}==${version}${marker === undefined ? "" : ` ; ${marker}`}${sha256.join("")}`;
}

function tomlTable(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text);
  } catch (error) {
    throw new TareError("E_LOCK", `reading \`${file}\`: ${messageOf(error).split("\n")[0] ?? ""}`, {
      hint: "make it again",
    });
  }
}

function list(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
