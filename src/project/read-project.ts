// SPDX-License-Identifier: Apache-2.0
import { parse } from "smol-toml";
import { TareError, messageOf } from "../base/index.ts";
import { normalizeName, readPyproject } from "../python/index.ts";
import { readConfig } from "./config.ts";
import { findDependencies } from "./dependencies.ts";
import { findCommand } from "./entry.ts";
import type { PyprojectFile } from "../python/index.ts";
import type { Decision, Project, ProjectReader, TareConfig } from "./types.ts";

/** What makes a folder a Python project, for messages. */
export const SIGNS: readonly string[] = [
  "tare.toml",
  "pyproject.toml",
  "pylock.toml",
  "uv.lock",
  "poetry.lock",
  "Pipfile.lock",
  "requirements.txt",
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
  const dependencies = findDependencies(reader, pyproject, options.folder);
  const name = pyproject?.project?.name ?? pyproject?.poetry?.name ?? options.fallbackName;
  const packageName = normalizeName(name).replaceAll("-", "_");
  const requested = new Set(dependencies.requested);
  const scripts = Object.keys(pyproject?.project?.scripts ?? {});
  const found = findCommand(reader, { scripts, packageName, has: (each) => requested.has(each) });
  const own = config.command ?? config.entrypoint;
  return {
    name,
    python: pythonOf(reader, config, pyproject),
    requiresPython: pyproject?.project?.requiresPython ?? pyproject?.poetry?.requiresPython,
    dependencies,
    command: own ? { value: config.command ?? [], reason: "from [tool.tare]" } : found,
    ports: config.expose.length > 0 ? config.expose : own ? [] : (found?.ports ?? []),
    sourceRoots: reader.isFolder(`src/${packageName}`) ? ["src"] : [],
    config,
  };
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

function pythonOf(
  reader: ProjectReader,
  config: TareConfig,
  _pyproject: PyprojectFile | undefined,
): Decision<string> | undefined {
  if (config.python !== undefined) return { value: minorOf(config.python), reason: "from [tool.tare]" };
  const files: readonly (readonly [string, RegExp])[] = [
    [".python-version", /^\s*(?:cpython-|python-?)?(3\.\d+)/m],
    ["runtime.txt", /^\s*python-(3\.\d+)/m],
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
