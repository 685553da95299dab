// SPDX-License-Identifier: Apache-2.0
/*
 * What a lock was made from, as a digest: what resolving reads of requirements and of pyproject.toml, and nothing else
 * of them. Comments, the project's version or the settings of a linter may change; time stamps never count.
 */
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { parse } from "smol-toml";
import { TareError, digestOfValue, messageOf } from "../../base/index.ts";
import { readPyproject } from "../requirements/pyproject.ts";
import { redactUrls } from "../requirements/redact.ts";
import { readRequirements } from "../requirements/requirements-file.ts";
import type { Digest } from "../../base/index.ts";
import type { PlacedRequirement, RequirementLine } from "../requirements/types.ts";

/** Requirements, and what of them is asked for. */
export interface LockInputs {
  /** Absolute path of the project. */
  readonly folder: string;
  /** Absolute paths of requirements files, or of one pyproject.toml. */
  readonly files: readonly string[];
  /** Requirements with their hashes in place of `files`, where they come from another lock. */
  readonly pins?: readonly string[];
  readonly extras: readonly string[];
  readonly groups: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The digest. Throws `E_REQUIREMENTS`, `E_PYPROJECT`. */
export function inputsDigest(inputs: LockInputs): Digest {
  const { pins, files, extras, groups, folder } = inputs;
  const content =
    pins?.map((pin) => pin.replaceAll(`file://${folder}/`, "file:")) ?? files.map((file) => contentOf(file, inputs));
  return digestOfValue({ content, extras: extras.toSorted(), groups: groups.toSorted() });
}

/** Requirements that the user wrote himself: name, specifier, marker. What has no name is left out. */
export function directRequirements(inputs: LockInputs): readonly PlacedRequirement["requirement"][] {
  const { files, extras, groups, folder, env, pins } = inputs;
  if (pins) return [];
  return files.flatMap((file) => {
    if (basename(file) !== "pyproject.toml") {
      const { requirements } = readRequirements(file, { read: readIfThere, env, cwd: folder });
      return requirements.flatMap(({ requirement }) => requirement ?? []);
    }
    const { project, dependencyGroups } = readPyproject(textOf(file), "pyproject.toml");
    const placed = [
      ...(project?.dependencies ?? []),
      ...extras.flatMap((extra) => project?.optionalDependencies[extra] ?? []),
      ...groups.flatMap((group) => dependencyGroups[group] ?? []),
    ];
    return placed.map(({ requirement }) => requirement);
  });
}

function contentOf(file: string, inputs: LockInputs): unknown {
  if (basename(file) === "pyproject.toml") return pyprojectContent(textOf(file), inputs);
  const { requirements, constraints, options, remote } = readRequirements(file, {
    read: readIfThere,
    env: inputs.env,
    cwd: inputs.folder,
  });
  const { indexUrl, extraIndexUrls, findLinks, ...others } = options;
  return {
    requirements: requirements.map((line) => lineContent(line, inputs)),
    constraints: constraints.map(({ text }) => text),
    remote: remote.map(({ url }) => redactUrls(url)),
    places: [indexUrl ?? "", ...extraIndexUrls, ...findLinks].map((place) => relativeTo(inputs.folder, place)),
    options: others,
  };
}

/** A folder brings the requirements of its own project file. */
function lineContent({ text, path }: RequirementLine, inputs: LockInputs): unknown {
  const file = join(path ?? "", "pyproject.toml");
  if (path === undefined || !fs.existsSync(file)) return text;
  return [text, pyprojectContent(textOf(file), { ...inputs, extras: [], groups: [] })];
}

function pyprojectContent(text: string, { extras, groups }: LockInputs): unknown {
  const { project, dependencyGroups, uv } = readPyproject(text, "pyproject.toml");
  const texts = (placed: readonly PlacedRequirement[] = []): readonly string[] => placed.map((each) => each.text);
  return {
    python: project?.requiresPython ?? "",
    dependencies: texts(project?.dependencies),
    extras: extras.map((extra) => texts(project?.optionalDependencies[extra])),
    groups: groups.map((group) => texts(dependencyGroups[group])),
    dynamic: project?.dynamic ?? [],
    uv: uv === undefined ? {} : plain(uvTable(text)),
  };
}

function uvTable(text: string): unknown {
  const tool = parse(text)["tool"];
  return typeof tool === "object" && tool !== null && "uv" in tool ? tool.uv : {};
}

/** Dates and large numbers as text, and no credentials, so that it can be digested. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "string") return redactUrls(value);
  if (typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object" || value instanceof Date) return String(value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

function relativeTo(folder: string, place: string): string {
  return redactUrls(place.startsWith(`${folder}/`) ? place.slice(folder.length + 1) : place);
}

function readIfThere(path: string): Buffer | undefined {
  return fs.existsSync(path) ? fs.readFileSync(path) : undefined;
}

function textOf(path: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (error) {
    throw new TareError("E_REQUIREMENTS", `reading \`${basename(path)}\`: ${messageOf(error)}`, { cause: error });
  }
}
