// SPDX-License-Identifier: Apache-2.0
import { normalizeName } from "../python/index.ts";
import { tableAt, textAt, textsAt } from "./toml.ts";
import type { PyprojectFile } from "../python/index.ts";
import type { Table } from "./toml.ts";
import type { ProjectReader } from "./types.ts";

const ASSIGNED = /^(?:__version__|VERSION|version)\s*(?::\s*[\w.[\]]+\s*)?=\s*(['"])v?([^'"\s]+)\1/m;

/** The version as far as it is written somewhere; undefined when only a build tells it (out of git, say). */
export function versionOf(reader: ProjectReader, pyproject: PyprojectFile, raw: Table): string | undefined {
  const written = pyproject.project?.version ?? (pyproject.project ? undefined : pyproject.poetry?.version);
  if (written !== undefined) return written;
  const tool = tableAt(raw, "tool");
  return (
    setuptoolsVersion(reader, tableAt(tool, "setuptools", "dynamic", "version")) ??
    fromFile(reader, hatchFile(tableAt(tool, "hatch", "version"))) ??
    fromFile(reader, pdmFile(tableAt(tool, "pdm", "version"))) ??
    poetryVersion(pyproject, tool) ??
    flitVersion(reader, pyproject)
  );
}

function setuptoolsVersion(reader: ProjectReader, table: Table): string | undefined {
  const attribute = textAt(table, "attr");
  if (attribute !== undefined) {
    const parts = attribute.split(".");
    const module = parts.slice(0, -1).join("/");
    const name = parts.at(-1) ?? "";
    const pattern = new RegExp(`^${name.replaceAll(/\W/g, "")}\\s*(?::\\s*[\\w.]+\\s*)?=\\s*(['"])([^'"\\s]+)\\1`, "m");
    const texts = ["", "src/"].flatMap((root) => [
      reader.read(`${root}${module}/__init__.py`),
      reader.read(`${root}${module}.py`),
    ]);
    return texts.map((text) => pattern.exec(text ?? "")?.[2]).find((version) => version !== undefined);
  }
  const [file] = textsAt(table, "file");
  const text = file === undefined ? undefined : reader.read(file)?.trim();
  return text === undefined || text === "" || /\s/.test(text) ? undefined : text;
}

/** Its default source: a file with `__version__ = "…"`. */
function hatchFile(table: Table): string | undefined {
  const source = textAt(table, "source") ?? "regex";
  return source === "regex" && !("pattern" in table) ? textAt(table, "path") : undefined;
}

function pdmFile(table: Table): string | undefined {
  return textAt(table, "source") === "file" ? textAt(table, "path") : undefined;
}

function fromFile(reader: ProjectReader, file: string | undefined): string | undefined {
  return file === undefined ? undefined : ASSIGNED.exec(reader.read(file) ?? "")?.[2];
}

/** `[project]` may leave the version to `[tool.poetry]`. */
function poetryVersion({ poetry, project }: PyprojectFile, tool: Table): string | undefined {
  return project?.dynamic.includes("version") && "poetry" in tool ? poetry?.version : undefined;
}

function flitVersion(reader: ProjectReader, { project, buildSystem }: PyprojectFile): string | undefined {
  if (project === undefined || buildSystem?.buildBackend !== "flit_core.buildapi") return undefined;
  const module = normalizeName(project.name).replaceAll("-", "_");
  const files = ["", "src/"].flatMap((root) => [`${root}${module}/__init__.py`, `${root}${module}.py`]);
  return files.map((file) => fromFile(reader, file)).find((version) => version !== undefined);
}
