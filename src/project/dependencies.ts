// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { normalizeName, readRequirements } from "../python/index.ts";
import type { PyprojectFile } from "../python/index.ts";
import { pipfilePins, poetryPins } from "./lock-pins.ts";
import type { PinsWanted } from "./lock-pins.ts";
import { pipfileLines, poetryLines } from "./requirement-lines.ts";
import type { Dependencies, ProjectReader, TareConfig } from "./types.ts";

/** Files of dependencies, the most exact first. */
const LOCKS = ["pylock.toml", "uv.lock"];

/** Where the dependencies are written. Throws `E_LOCK`, `E_REQUIREMENTS`. */
export function findDependencies(
  reader: ProjectReader,
  pyproject: PyprojectFile | undefined,
  options: { readonly folder: string; readonly config: Pick<TareConfig, "extras" | "groups"> },
): Dependencies {
  const { folder, config } = options;
  const asked = askedFor(reader, pyproject, folder);
  for (const file of LOCKS) {
    if (reader.read(file) !== undefined) return { kind: "lock", files: [file], reason: `${file} is there`, ...asked };
  }
  return findUnlocked(reader, pyproject, { ...asked, ...config });
}

/** What is asked for: by name, and of extras and groups. */
export interface Asked extends Pick<Dependencies, "requested" | "hasItself"> {
  readonly extras?: readonly string[];
  readonly groups?: readonly string[];
}

interface Place {
  readonly kind: Dependencies["kind"];
  readonly file: string;
  readonly reason?: string;
  readonly lines?: readonly string[];
}

/** The same without the locks that Tare and uv write. */
export function findUnlocked(
  reader: ProjectReader,
  pyproject: PyprojectFile | undefined,
  { requested, hasItself = false, extras = [], groups = [] }: Asked,
): Dependencies {
  const found =
    lockedElsewhere(reader, { extras, groups }) ??
    listed(reader) ??
    inPyproject(pyproject, { extras, groups }) ??
    inOther(reader);
  if (!found) return { kind: "none", files: [], reason: "no file names any", requested, hasItself };
  const { kind, file, lines, reason = `${file} is there` } = found;
  const itself = hasItself || lines?.includes(ITSELF) === true;
  return { kind, files: [file], reason, requested, hasItself: itself, ...(lines ? { pins: lines } : {}) };
}

function lockedElsewhere(reader: ProjectReader, asked: PinsWanted): Place | undefined {
  const wanted = { extras: asked.extras.map(normalizeName), groups: asked.groups.map(normalizeName) };
  const poetry = reader.read("poetry.lock");
  if (poetry !== undefined) return { kind: "pins", file: "poetry.lock", lines: poetryPins(poetry, wanted) };
  const pipfile = reader.read("Pipfile.lock");
  return pipfile === undefined
    ? undefined
    : { kind: "pins", file: "Pipfile.lock", lines: pipfilePins(pipfile, wanted) };
}

function listed(reader: ProjectReader): Place | undefined {
  const file = ["requirements.lock", "requirements.txt"].find((name) => reader.read(name) !== undefined);
  return file === undefined ? undefined : { kind: "requirements", file };
}

function inPyproject(
  pyproject: PyprojectFile | undefined,
  wanted: { readonly extras: readonly string[]; readonly groups: readonly string[] },
): Place | undefined {
  const file = "pyproject.toml";
  const reason = "pyproject.toml names them";
  const { project, poetry } = pyproject ?? {};
  const isWanted = wanted.extras.length + wanted.groups.length > 0;
  if (project && (project.dependencies.length > 0 || project.dynamic.includes("dependencies") || isWanted)) {
    return { kind: "pyproject", file, reason };
  }
  if (!poetry || poetry.dependencies.length === 0) return undefined;
  return { kind: "lines", file, reason, lines: poetryLines(poetry, wanted) };
}

/** The project itself, as a requirement. */
const ITSELF = "-e .";

function inOther(reader: ProjectReader): Place | undefined {
  if (reader.read("requirements.in") !== undefined) return { kind: "requirements", file: "requirements.in" };
  const pipfile = reader.read("Pipfile");
  if (pipfile !== undefined) return { kind: "lines", file: "Pipfile", lines: pipfileLines(pipfile) };
  const setup = reader.read("setup.py") ?? "";
  if (!/\bsetup\(/.test(setup) || reader.read("pyproject.toml") !== undefined) return undefined;
  return { kind: "lines", file: "setup.py", reason: "setup.py tells them", lines: [ITSELF] };
}

/** Names that the user wrote himself get a REQUESTED file; `-e .` is the project. */
function askedFor(
  reader: ProjectReader,
  pyproject: PyprojectFile | undefined,
  folder: string,
): Pick<Dependencies, "requested" | "hasItself"> {
  const names = new Set<string>();
  for (const { requirement } of pyproject?.project?.dependencies ?? []) names.add(requirement.name);
  for (const { requirement } of pyproject?.poetry?.dependencies ?? []) names.add(requirement.name);
  const file = ["requirements.in", "requirements.txt"].find((name) => reader.read(name) !== undefined);
  if (file === undefined) return { requested: [...names], hasItself: false };
  const { requirements } = readRequirements(join(folder, file), {
    read: (path) => readInside(reader, folder, path),
    env: {},
    cwd: folder,
  });
  for (const { requirement } of requirements) if (requirement) names.add(requirement.name);
  return { requested: [...names], hasItself: requirements.some(({ path }) => path === folder) };
}

/** Files beside the project are not read: what they ask for is not known to be asked for. */
function readInside(reader: ProjectReader, folder: string, path: string): string | undefined {
  return path.startsWith(`${folder}/`) ? reader.read(path.slice(folder.length + 1)) : "";
}
