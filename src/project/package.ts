// SPDX-License-Identifier: Apache-2.0
/*
 * Whether a folder is a package, and whether it can be installed where it lies: one whose metadata is written down and
 * whose modules are plain files needs no build, only its .dist-info, its programs and a path, as an editable install
 * has them. What a build would make (extensions, generated files, a version out of git) has to be built.
 */
import { parse } from "smol-toml";
import { formatRequirement, normalizeVersion, readPyproject } from "../python/index.ts";
import { packageMetadata } from "./package-metadata.ts";
import { sourceRoots } from "./package-roots.ts";
import { versionOf } from "./package-version.ts";
import { tableAt, tablesAt, textAt, textsAt } from "./toml.ts";
import type { PyprojectFile } from "../python/index.ts";
import type { Table } from "./toml.ts";
import type { OwnPackage, ProjectReader } from "./types.ts";

/** Backends that only put files together, unless `compiles` says otherwise. */
const PLAIN_BACKENDS: readonly string[] = [
  "flit_core.buildapi",
  "hatchling.build",
  "pdm.backend",
  "poetry.core.masonry.api",
  "poetry_core.masonry.api",
  "setuptools.build_meta",
  "setuptools.build_meta:__legacy__",
  "uv_build",
];

/** What decides about a package besides its folder. */
export interface PackageQuestion {
  /** Relative to the project; empty for the project itself. */
  readonly folder: string;
  /** It is asked for by name (`-e .`, a lock), or `[tool.tare]` says so. */
  readonly isWanted: boolean;
}

/** The package of a folder; undefined when it is none, or nobody wants it. Throws `E_PYPROJECT`. */
export function readPackage(reader: ProjectReader, { folder, isWanted }: PackageQuestion): OwnPackage | undefined {
  const inner = folder === "" ? reader : within(reader, folder);
  const text = inner.read("pyproject.toml");
  if (text === undefined) return isWanted ? unwritten(inner, folder) : undefined;
  const pyproject = readPyproject(text, folder === "" ? "pyproject.toml" : `${folder}/pyproject.toml`);
  if (!isWanted && !isPackage(pyproject)) return undefined;
  const name = pyproject.project?.name ?? pyproject.poetry?.name;
  if (name === undefined) return isWanted ? unwritten(inner, folder) : undefined;
  const raw = parse(text);
  const scripts = Object.keys({ ...pyproject.poetry?.scripts, ...pyproject.project?.scripts });
  const built = (reason: string): OwnPackage => ({ kind: "build", folder, name, scripts, reason });
  const reason = whyBuilt(inner, pyproject, raw);
  if (reason !== undefined) return built(reason);
  const version = versionOf(inner, pyproject, raw);
  if (version === undefined) return built("its version is told by a build only");
  const roots = sourceRoots(inner, raw, name);
  if (roots === undefined) return built("its modules are put elsewhere by a build");
  return inPlace(pyproject, raw, { folder, name, version, roots });
}

function within(reader: ProjectReader, folder: string): ProjectReader {
  return {
    read: (path) => reader.read(`${folder}/${path}`),
    isFolder: (path) => reader.isFolder(`${folder}/${path}`),
    list: (path) => reader.list(path === "" ? folder : `${folder}/${path}`),
  };
}

function unwritten(reader: ProjectReader, folder: string): OwnPackage | undefined {
  const script = ["setup.py", "setup.cfg", "pyproject.toml"].find((file) => reader.read(file) !== undefined);
  if (script === undefined) return undefined;
  const name = folder === "" ? "the project" : folder;
  return { kind: "build", folder, name, scripts: [], reason: `its metadata is told by ${script}` };
}

/** uv's rule: what has a build system is a package, unless it says otherwise. */
function isPackage({ project, poetry, uv, buildSystem }: PyprojectFile): boolean {
  if (uv?.isPackage !== undefined) return uv.isPackage;
  if (poetry && !poetry.isPackage) return false;
  return buildSystem !== undefined && (project !== undefined || poetry?.name !== undefined);
}

/** Why plain files do not make the package; undefined when they do. */
function whyBuilt(reader: ProjectReader, pyproject: PyprojectFile, raw: Table): string | undefined {
  const backend = pyproject.buildSystem?.buildBackend ?? "setuptools.build_meta";
  if (!PLAIN_BACKENDS.includes(backend)) return `${backend} builds it`;
  const tool = tableAt(raw, "tool");
  if (backend.startsWith("setuptools")) {
    if (tablesAt(tableAt(tool, "setuptools"), "ext-modules").length > 0) return "it has extension modules";
    const script = reader.read("setup.py") ?? "";
    if (/ext_modules|Extension\(|cythonize|cffi_modules|rust_extensions|cmdclass/.test(script))
      return "setup.py compiles";
  }
  const hatch = tableAt(tool, "hatch", "build");
  const hooks = { ...tableAt(hatch, "hooks"), ...tableAt(hatch, "targets", "wheel", "hooks") };
  if (Object.keys(hooks).length > 0) return "it has build hooks";
  const poetry = tableAt(tool, "poetry");
  if ("build" in poetry) return "it has a build script";
  if (tableAt(tool, "pdm", "build")["run-setuptools"] === true) return "it has a build script";
  const dynamic = (pyproject.project?.dynamic ?? []).filter((key) => TOLD_BY_BUILD.has(key));
  const [untold] = dynamic.filter((key) => key !== "dependencies" || dynamicDependencies(reader, raw) === undefined);
  return untold === undefined ? undefined : `its ${untold} are told by a build only`;
}

/** Dynamic fields that matter at run time. The version has ways of its own. */
const TOLD_BY_BUILD = new Set(["dependencies", "optional-dependencies", "scripts", "gui-scripts", "entry-points"]);

/** `dependencies = { file = [...] }` of setuptools. */
function dynamicDependencies(reader: ProjectReader, raw: Table): readonly string[] | undefined {
  const files = textsAt(tableAt(raw, "tool", "setuptools", "dynamic", "dependencies"), "file");
  const texts = files.map((file) => reader.read(file));
  if (files.length === 0 || texts.includes(undefined)) return undefined;
  const lines = texts
    .flatMap((text) => (text ?? "").split("\n"))
    .map((line) => line.replace(/(?:^|\s)#.*$/, "").trim());
  return lines.some((line) => line.startsWith("-")) ? undefined : lines.filter((line) => line !== "");
}

function inPlace(
  pyproject: PyprojectFile,
  raw: Table,
  facts: {
    readonly folder: string;
    readonly name: string;
    readonly version: string;
    readonly roots: readonly string[];
  },
): OwnPackage {
  const { project, poetry } = pyproject;
  const requiresPython = project?.requiresPython ?? poetry?.requiresPython;
  const summary =
    textAt(tableAt(raw, "project"), "description") ?? textAt(tableAt(raw, "tool", "poetry"), "description");
  const version = normalizeVersion(facts.version);
  return {
    kind: "in-place",
    folder: facts.folder,
    name: facts.name,
    version,
    roots: facts.roots,
    scripts: Object.keys({ ...poetry?.scripts, ...project?.scripts }),
    files: packageMetadata({
      name: facts.name,
      version,
      ...(summary === undefined ? {} : { summary }),
      ...(requiresPython === undefined ? {} : { requiresPython }),
      requires: requirementsOf(pyproject),
      extras: Object.entries(project?.optionalDependencies ?? {}).map(([extra, list]) => ({
        extra,
        requires: list.map(({ requirement }) => formatRequirement(requirement)),
      })),
      entryPoints: {
        console_scripts: { ...poetry?.scripts, ...project?.scripts },
        gui_scripts: project?.guiScripts ?? {},
        ...project?.entryPoints,
      },
    }),
  };
}

function requirementsOf({ project, poetry }: PyprojectFile): readonly string[] {
  const own = (project?.dependencies ?? []).map(({ requirement }) => requirement);
  const others = project ? [] : (poetry?.dependencies ?? []).filter(({ isOptional }) => !isOptional);
  return [...own, ...others.map(({ requirement }) => requirement)].map((requirement) => formatRequirement(requirement));
}
