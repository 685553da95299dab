// SPDX-License-Identifier: Apache-2.0
import { parse } from "smol-toml";
import { TareError, messageOf } from "../base/index.ts";
import { normalizeName, readPyproject } from "../python/index.ts";
import { readConfig } from "./config.ts";
import { findDependencies, findUnlocked } from "./dependencies.ts";
import { findInputs } from "./inputs.ts";
import { readPackage } from "./package.ts";
import type { PyprojectFile } from "../python/index.ts";
import type { Decision, Dependencies, OwnPackage, Project, ProjectReader, TareConfig } from "./types.ts";

/** What makes a folder a Python project, for messages. */
export const SIGNS: readonly string[] = [
  "tare.toml",
  "pyproject.toml",
  "pylock.toml",
  "uv.lock",
  "poetry.lock",
  "Pipfile.lock",
  "requirements.lock",
  "requirements.txt",
  "requirements.in",
  "Pipfile",
  "setup.py",
  "manage.py",
  "Procfile",
  "main.py",
  "app.py",
];

/** How a project is looked at. */
export interface ReadProjectOptions {
  /** Absolute path of the folder. */
  readonly folder: string;
  /** Name when nothing in it gives one. */
  readonly fallbackName: string;
  readonly target?: string;
}

/** Looks at a source tree; undefined when nothing in it is Python. Throws `E_CONFIG`, `E_PYPROJECT`, `E_REQUIREMENTS`, `E_LOCK`. */
export function readProject(reader: ProjectReader, options: ReadProjectOptions): Project | undefined {
  if (!SIGNS.some((name) => reader.read(name) !== undefined)) return undefined;
  const text = reader.read("pyproject.toml");
  const pyproject = text === undefined ? undefined : readPyproject(text, "pyproject.toml");
  const config = configOf(reader, pyproject, options.target);
  const dependencies = findDependencies(reader, pyproject, { folder: options.folder, config });
  const name = pyproject?.project?.name ?? pyproject?.poetry?.name ?? options.fallbackName;
  const own = ownPackage(reader, config, dependencies);
  return {
    name,
    python: pythonOf(reader, config),
    requiresPython: pyproject?.project?.requiresPython ?? pyproject?.poetry?.requiresPython,
    dependencies,
    inputs: findInputs(pyproject, {
      found: dependencies,
      others: findUnlocked(reader, pyproject, { ...dependencies, ...config }),
    }),
    own,
    sourceRoots: rootsOf(reader, own, name),
    config,
  };
}

/** The project itself, when it is a package and is wanted. */
function ownPackage(reader: ProjectReader, config: TareConfig, dependencies: Dependencies): OwnPackage | undefined {
  if (config.isPackage === false) return undefined;
  return readPackage(reader, { folder: "", isWanted: config.isPackage === true || dependencies.hasItself === true });
}

/** Folders for PYTHONPATH besides the project's own. */
function rootsOf(reader: ProjectReader, own: OwnPackage | undefined, name: string): readonly string[] {
  if (own?.kind === "in-place") return own.roots.filter((root) => root !== "");
  const packageName = normalizeName(name).replaceAll("-", "_");
  return reader.isFolder(`src/${packageName}`) ? ["src"] : [];
}

function configOf(reader: ProjectReader, pyproject: PyprojectFile | undefined, target: string | undefined): TareConfig {
  const own = reader.read("tare.toml");
  if (own === undefined) return readConfig(pyproject?.tare ?? {}, target, "[tool.tare] of pyproject.toml");
  try {
    return readConfig(parse(own), target, "tare.toml");
  } catch (error) {
    if (error instanceof TareError) throw error;
    throw new TareError("E_CONFIG", `reading tare.toml: ${messageOf(error).split("\n")[0] ?? ""}`, {
      hint: "it is not TOML",
    });
  }
}

function pythonOf(reader: ProjectReader, config: TareConfig): Decision<string> | undefined {
  if (config.python !== undefined) return { value: minorOf(config.python), reason: "from [tool.tare]" };
  const files: readonly (readonly [string, RegExp])[] = [
    [".python-version", /^\s*(?:cpython[-@]|python[-@]?)?(3\.\d+)(?![\dt])/m],
    ["runtime.txt", /^\s*python-(3\.\d+)/m],
    ["pylock.toml", /^\[tool\.tare\]$[^[]*?^python = "(3\.\d+)/m],
    ["Pipfile.lock", /"python_(?:full_)?version":\s*"(3\.\d+)/],
  ];
  for (const [file, pattern] of files) {
    const version = pattern.exec(reader.read(file) ?? "")?.[1];
    if (version !== undefined) return { value: version, reason: `from ${file}` };
  }
  return undefined;
}

function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
