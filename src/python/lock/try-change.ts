// SPDX-License-Identifier: Apache-2.0
/* The smallest change that would work, found by trying: one requirement without its version, all else as it is. */
import * as fs from "node:fs";
import { basename, join } from "node:path";
import { ensureDirectory, isTareError, removeTree } from "../../base/index.ts";
import { readPyproject } from "../requirements/pyproject.ts";
import { formatRequirement } from "../requirements/requirement.ts";
import { readRequirements } from "../requirements/requirements-file.ts";
import { statedTarget } from "../target/stated-target.ts";
import { nameOf } from "./proof.ts";
import { runUv } from "./run-uv.ts";
import type { Requirement, RequirementLine } from "../requirements/types.ts";
import type { Explanation } from "./explain.ts";
import type { ResolveRequest } from "./types.ts";
import type { UvPlace } from "./uv.ts";

/** Milliseconds that all trials may take; uv has just read nearly everything that they need. */
const LONGEST_MS = 20_000;
const MOST_TRIALS = 3;

/**
 * A hint that names what to loosen and the versions that come out, or a newer Python, when one of them works; undefined
 * when none does, when it takes too long, or when the requirements hold what can't be written down again.
 */
export async function tryChanges(
  place: UvPlace,
  request: ResolveRequest,
  { suspects, python }: Pick<Explanation, "suspects" | "python">,
): Promise<string | undefined> {
  const bound = AbortSignal.timeout(LONGEST_MS);
  const signal = place.signal === undefined ? bound : AbortSignal.any([place.signal, bound]);
  const found: string[] = [];
  if (python !== undefined && (await isFitting({ ...place, signal }, request, python))) {
    found.push(`Python ${python} (\`--python ${python}\`, and a base that has it)`);
  }
  for (const suspect of suspects.slice(0, MOST_TRIALS)) {
    const version = await tryWithout({ ...place, signal }, request, suspect);
    if (version !== undefined) found.push(`\`${nameOf(suspect)}==${version}\` instead of \`${suspect}\``);
    if (found.length === 2 || bound.aborted) break;
  }
  return found.length === 0 ? undefined : `smallest change that works (tried): ${found.join(", or ")}`;
}

async function isFitting(place: UvPlace, request: ResolveRequest, python: string): Promise<boolean> {
  const { architecture, libc } = request.target;
  const { previous: _previous, runIsolated: _runIsolated, ...rest } = request;
  try {
    const { code } = await runUv(place, { ...rest, target: statedTarget({ version: python, architecture, libc }) });
    return code === 0;
  } catch (error) {
    if (isTareError(error, "E_ABORTED")) return false;
    throw error;
  }
}

async function tryWithout(place: UvPlace, request: ResolveRequest, suspect: string): Promise<string | undefined> {
  const lines = linesOf(request, place.env, nameOf(suspect));
  if (!lines) return undefined;
  const lease = place.store.lease();
  const folder = join(lease.folder, "trial");
  try {
    ensureDirectory(folder);
    const [files, constraints] = [join(folder, "requirements.txt"), join(folder, "constraints.txt")];
    fs.writeFileSync(files, lines.requirements.join("\n"), { mode: 0o600 });
    fs.writeFileSync(constraints, lines.constraints.join("\n"), { mode: 0o600 });
    const { extras: _extras, groups: _groups, previous: _previous, runIsolated: _runIsolated, ...rest } = request;
    const { code, text } = await runUv(place, { ...rest, files: [files], constraints: [constraints] });
    return code === 0 ? versionIn(text, nameOf(suspect)) : undefined;
  } catch (error) {
    if (isTareError(error, "E_ABORTED")) return undefined;
    throw error;
  } finally {
    removeTree(folder);
    lease.release();
  }
}

function versionIn(pylock: string, name: string): string | undefined {
  return new RegExp(`^name = "${name.replaceAll(".", "\\.")}"\nversion = "([^"]+)"`, "m").exec(pylock)?.[1];
}

interface Lines {
  readonly requirements: readonly string[];
  readonly constraints: readonly string[];
}

/** All that is asked for, in one list; undefined when it has sources that only its own file can say. */
function linesOf(request: ResolveRequest, env: UvPlace["env"], name: string): Lines | undefined {
  const requirements: string[] = [];
  const constraints: string[] = [];
  const loosen = (each: Requirement): string =>
    formatRequirement(each.name === name ? { ...each, specifier: "" } : each);
  for (const file of request.files) {
    if (basename(file) === "pyproject.toml") {
      const own = projectRequirements(file, request);
      if (!own) return undefined;
      requirements.push(...own.map(loosen));
      continue;
    }
    const read = (path: string): Buffer | undefined => (fs.existsSync(path) ? fs.readFileSync(path) : undefined);
    const content = readRequirements(file, { read, env, cwd: request.folder });
    const all = [...content.requirements, ...content.constraints];
    if (content.remote.length > 0 || all.some(({ requirement }) => !requirement)) return undefined;
    const { options } = content;
    if (options.indexUrl !== undefined) requirements.push(`--index-url ${options.indexUrl}`);
    requirements.push(...options.extraIndexUrls.map((url) => `--extra-index-url ${url}`));
    requirements.push(...options.findLinks.map((place) => `--find-links ${place}`));
    const texts = (lines: readonly RequirementLine[]): readonly string[] =>
      lines.flatMap(({ requirement }) => (requirement ? [loosen(requirement)] : []));
    requirements.push(...texts(content.requirements));
    constraints.push(...texts(content.constraints));
  }
  return { requirements, constraints };
}

function projectRequirements(file: string, request: ResolveRequest): readonly Requirement[] | undefined {
  const { project, dependencyGroups, uv } = readPyproject(fs.readFileSync(file, "utf8"), "pyproject.toml");
  if (Object.keys(uv?.sources ?? {}).length > 0) return undefined;
  const placed = [
    ...(project?.dependencies ?? []),
    ...(request.extras ?? []).flatMap((extra) => project?.optionalDependencies[extra] ?? []),
    ...(request.groups ?? []).flatMap((group) => dependencyGroups[group] ?? []),
  ];
  return placed.map(({ requirement }) => requirement);
}
