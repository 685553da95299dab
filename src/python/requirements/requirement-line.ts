// SPDX-License-Identifier: Apache-2.0
/** One requirement of a requirements file: a specifier, a URL, a version control reference or a path. */
import { posix } from "node:path";
import { isTareError } from "../../base/index.ts";
import type { LineOption } from "./file-options.ts";
import type { Location } from "./location.ts";
import { checkHash, isArchive, isUrl, isVcsUrl, locatePath, locateUrl, looksLikePath } from "./location.ts";
import { parseMarker } from "./markers.ts";
import { GrammarProblem } from "./problem.ts";
import { redactUrls } from "./redact.ts";
import { parseRequirement } from "./requirement.ts";
import type {
  Marker,
  Requirement,
  RequirementLine,
  RequirementOptions,
  RequirementsReader,
  SourceLine,
} from "./types.ts";

/** Parts of a line that decide what is installed. */
type Target = Pick<RequirementLine, "requirement" | "extras" | "marker"> & Omit<Location, "implied">;

/** A line as `splitLine` left it, variables expanded. */
export interface RequirementText {
  readonly requirement: string;
  readonly editable: boolean;
  readonly options: readonly LineOption[];
  readonly source: SourceLine;
  /** The line as written. */
  readonly text: string;
}

/** Reads one requirement. Throws `GrammarProblem` or `E_REQUIREMENTS`. */
export function readRequirementLine(line: RequirementText, reader: RequirementsReader): RequirementLine {
  const target = line.editable ? readEditable(line.requirement, reader) : readTarget(line.requirement, reader);
  return {
    ...line.source,
    ...target,
    editable: line.editable,
    hashes: mergeHashes(target.hashes, line.options),
    options: readOptions(line.options),
    text: redactUrls(line.text),
  };
}

function readTarget(text: string, reader: RequirementsReader): Target {
  const [name, markerText] = splitMarker(text);
  const marker = markerText === undefined ? undefined : parseMarker(markerText);
  if (isUrl(name)) return placed(locateUrl(name, reader.cwd), [], marker);
  const [path, extras] = splitExtras(name);
  if (isLocal(path, name, reader)) return placed(locatePath(path, reader.cwd), extras, marker);
  return readSpecifier(text, name, reader) ?? placed(locatePath(path, reader.cwd), extras, marker);
}

/** As pip: behind a URL the `;` needs a space; in `name @ url` the first `;` ends the URL when a marker follows. */
function splitMarker(text: string): readonly [string, string | undefined] {
  const at = isUrl(text) ? text.search(/;\s|\s;/) : text.indexOf(";");
  if (at < 0) return [text.trim(), undefined];
  const marker = text.slice(text.indexOf(";", at) + 1).trim();
  const isInUrl = !isUrl(text) && /^[^;]*@\s*[a-z0-9+]+:\S*$/i.test(text.slice(0, at)) && !isMarker(marker);
  if (isInUrl) return [text.trim(), undefined];
  return [text.slice(0, at).trim(), marker === "" ? undefined : marker];
}

function isMarker(text: string): boolean {
  try {
    parseMarker(text);
    return true;
  } catch (error) {
    if (isTareError(error, "E_REQUIREMENTS")) return false;
    throw error;
  }
}

function splitExtras(text: string): readonly [string, readonly string[]] {
  const match = /^(.+)(\[[^\]]+\])$/.exec(text);
  if (match === null) return [text, []];
  return [match[1] ?? text, parseRequirement(`name${match[2]}`).extras];
}

/** Archives count as paths, and so do folders where the text looks like a path. */
function isLocal(path: string, name: string, reader: RequirementsReader): boolean {
  const kind = kindOf(path, reader);
  if (looksLikePath(name) && kind === "directory") return true;
  if (!isArchive(path)) return false;
  const before = name.split("@", 1)[0] ?? "";
  if (kind !== "file" && name.includes("@") && !looksLikePath(before)) return false;
  if (kind === "file" || reader.kind === undefined) return true;
  throw new GrammarProblem(`no such file \`${path}\` in the working directory`);
}

function kindOf(path: string, reader: RequirementsReader): "file" | "directory" | undefined {
  return reader.kind?.(posix.resolve(reader.cwd, path));
}

/** A dependency specifier; undefined when it is none but looks like a path and nobody can tell. */
function readSpecifier(text: string, name: string, reader: RequirementsReader): Target | undefined {
  const [bare, markerText] = splitMarker(text);
  try {
    const space = bare.includes("@") ? " " : "";
    const requirement = parseRequirement(markerText === undefined ? bare : `${bare}${space}; ${markerText}`);
    return named(requirement, reader);
  } catch (error) {
    if (!isTareError(error, "E_REQUIREMENTS") || !looksLikePath(bare) || /@|[<>=!~]=/.test(bare)) throw error;
    if (reader.kind === undefined) return undefined;
    throw new GrammarProblem(`no such file or folder \`${name}\``, "local paths are relative to the working directory");
  }
}

function named(requirement: Requirement, reader: RequirementsReader): Target {
  const { extras, marker, url } = requirement;
  const { implied: _, ...place } = url === undefined ? { hashes: {} } : locateNamedUrl(url, reader.cwd);
  return { requirement, extras, ...(marker === undefined ? {} : { marker }), ...place };
}

function locateNamedUrl(url: string, cwd: string): Location {
  if (isUrl(url)) return locateUrl(url, cwd);
  const hint = /^(?:git|hg|svn|bzr|ssh):|^git\+[^:]*@/.test(url)
    ? "write git+https://… or git+ssh://git@host/path"
    : undefined;
  throw new GrammarProblem(`\`${url}\` is not a URL that can be installed`, hint);
}

/** A place without a name of its own: a wheel and `#egg=` give it one. */
function placed(location: Location, extras: readonly string[], marker: Marker | undefined): Target {
  const { implied, ...place } = location;
  const condition = marker === undefined ? {} : { marker };
  if (implied === undefined) return { ...place, ...condition, extras };
  const parsed = parseRequirement(implied);
  const all = [...new Set([...parsed.extras, ...extras])].toSorted();
  return { ...place, ...condition, requirement: { ...parsed, extras: all, ...condition }, extras: all };
}

/** `-e`: a folder, a `file:` URL, a version control URL, or `name @ url`. */
function readEditable(text: string, reader: RequirementsReader): Target {
  const [path, extras] = splitExtras(text.trim());
  if (kindOf(path, reader) === "directory") {
    return placed(locatePath(path, reader.cwd), extras, undefined);
  }
  if (/^file:/i.test(path)) return placed(locateUrl(path, reader.cwd), extras, undefined);
  const url = /^(?:git|hg|svn|bzr):/i.test(text) ? `${text.slice(0, text.indexOf(":"))}+${text}` : text;
  if (isVcsUrl(url)) return placed(locateUrl(url, reader.cwd), [], undefined);
  if (/^[a-z0-9][\w.-]*(?:\[[^\]]*\])?\s*@/i.test(text)) return named(parseRequirement(text), reader);
  if (reader.kind === undefined && !isUrl(text)) return placed(locatePath(path, reader.cwd), extras, undefined);
  throw new GrammarProblem(
    `\`${text}\` can't be installed editable: neither a folder nor a version control URL`,
    "local paths are relative to the working directory; version control URLs start with git+, hg+, svn+ or bzr+",
  );
}

function mergeHashes(
  given: Readonly<Record<string, readonly string[]>>,
  options: readonly LineOption[],
): Readonly<Record<string, readonly string[]>> {
  const hashes = new Map<string, Set<string>>(Object.entries(given).map(([name, values]) => [name, new Set(values)]));
  for (const { value } of options.filter(({ kind }) => kind === "hash")) {
    const colon = value.indexOf(":");
    if (colon < 0)
      throw new GrammarProblem(`\`--hash=${value}\` is not written as algorithm:digest`, "--hash=sha256:…");
    const algorithm = value.slice(0, colon).toLowerCase();
    const digest = checkHash(algorithm, value.slice(colon + 1));
    hashes.set(algorithm, (hashes.get(algorithm) ?? new Set()).add(digest));
  }
  return Object.fromEntries([...hashes].map(([algorithm, values]) => [algorithm, [...values]]));
}

function readOptions(options: readonly LineOption[]): RequirementOptions {
  const settings = new Map<string, string[]>();
  for (const { value } of options.filter(({ kind }) => kind === "config-settings")) {
    const equals = value.indexOf("=");
    if (equals < 0) throw new GrammarProblem(`\`--config-settings ${value}\` is not written as KEY=VALUE`);
    const key = value.slice(0, equals);
    settings.set(key, [...(settings.get(key) ?? []), value.slice(equals + 1)]);
  }
  const globalOptions = options.filter(({ kind }) => kind === "global-option").map(({ value }) => value);
  return { configSettings: Object.fromEntries(settings), globalOptions };
}
