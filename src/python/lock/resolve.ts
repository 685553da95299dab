// SPDX-License-Identifier: Apache-2.0
/* Requirements to a lock, by uv, for the interpreter of an image. A result is remembered, so that it holds offline. */
import * as fs from "node:fs";
import { basename } from "node:path";
import { digestOfValue } from "../../base/index.ts";
import { readIndexConfig, settingsFiles } from "../index-client/config.ts";
import { redactUrls } from "../requirements/redact.ts";
import { readRequirements } from "../requirements/requirements-file.ts";
import { gpuPackagesError, isGpuPackage } from "./accelerator.ts";
import { explain, explainedError, sourceOf } from "./explain.ts";
import { withWantedHashes } from "./hashes.ts";
import { withSizes } from "./lock-sizes.ts";
import { nameOf, proofOf, subjectName } from "./proof.ts";
import { runUv } from "./run-uv.ts";
import { tryChanges } from "./try-change.ts";
import { UV_VERSION } from "./uv.ts";
import type { Digest } from "../../base/index.ts";
import type { Resolution, ResolveRequest } from "./types.ts";
import type { UvOutcome } from "./run-uv.ts";
import type { UvPlace } from "./uv.ts";

const RESOLUTIONS = "resolution";

/**
 * Resolves. Throws `E_RESOLVE` with an explanation when nothing fits, `E_RESOLVE_NOTFOUND`, `E_NO_WHEEL`,
 * `E_INDEX_AUTH`, `E_LOCK_HASH`, `E_ACCELERATOR` when a set for the CPU has packages for GPUs, `E_REQUIREMENTS`,
 * `E_PYPROJECT`, `E_UV`, and what fetching uv throws. Credentials reach uv by its environment alone, and are in no result.
 */
export async function resolve(place: UvPlace, request: ResolveRequest): Promise<Resolution> {
  const known = place.store.documents<string>(RESOLUTIONS);
  const key = keyOf(place, request);
  const cached = request.refresh || request.upgrade !== undefined ? undefined : known.get(key);
  if (cached !== undefined) return { pylock: cached, isFromCache: true, key, warnings: [] };
  const outcome = await runUv(place, request);
  if (outcome.code !== 0) throw await failure(place, request, outcome);
  if (request.accelerator === "cpu") await refuseGpu(place, request, outcome.text);
  const pylock = await withSizes(place, withWantedHashes(outcome.text, request, place.env));
  known.put(key, pylock);
  return { pylock, isFromCache: false, key, warnings: warningsOf(outcome.stderr) };
}

async function failure(place: UvPlace, request: ResolveRequest, { stderr }: UvOutcome): Promise<Error> {
  const source = sourceOf(request);
  const { missing, claims } = proofOf(stderr, source);
  if (request.accelerator === "cpu" && missing !== undefined && isGpuPackage(missing)) {
    const who = claims.filter(({ needs }) => nameOf(needs) === missing).map(subjectName);
    return gpuPackagesError([missing], new Map([[missing, who.length === 0 ? source.files : who]]));
  }
  const explanation = explain(stderr, source);
  const tried =
    explanation.suspects.length === 0 && explanation.python === undefined
      ? undefined
      : await tryChanges(place, request, explanation);
  return explainedError(explanation, stderr, tried);
}

/** A set for the CPU has no CUDA packages. The second run, for who wants them, answers from uv's cache. */
async function refuseGpu(place: UvPlace, request: ResolveRequest, pylock: string): Promise<void> {
  const names = [...pylock.matchAll(/^\[\[packages\]\]\nname = "([^"]+)"/gm)].map(([, name = ""]) => name);
  const refused = names.filter(isGpuPackage);
  if (refused.length === 0) return;
  const { text } = await runUv(place, request, "requirements.txt");
  const rows = [...text.matchAll(/^([\w.-]+)==\S+.*?# via (.*)$/gm)];
  const wantedBy = new Map(rows.map(([, name = "", who = ""]) => [name, who.split(", ").map(shortWho)]));
  throw gpuPackagesError(refused, wantedBy);
}

/** `-r requirements.txt` of uv's notes; `app (pyproject.toml)`. */
function shortWho(who: string): string {
  return basename(
    who
      .trim()
      .replace(/^-[rc] /, "")
      .replace(/^.*\(([^)]+)\)$/, "$1"),
  );
}

function warningsOf(stderr: string): readonly string[] {
  return [...stderr.matchAll(/^warning: (.+)$/gm)].map(([, text = ""]) => text);
}

/** The inputs' content and all that decides the answer. */
export function keyOf(place: Pick<UvPlace, "env">, request: ResolveRequest): Digest {
  const { target, extras = [], groups = [], constraints = [] } = request;
  const index = readIndexConfig(place.env);
  return digestOfValue({
    uv: UV_VERSION,
    inputs: [...request.files, ...constraints].map((file) => contentOf(file, request.folder, place.env)),
    extras,
    groups,
    target: [target.implementation, target.version, target.architecture, target.libc, target.isFreeThreaded ?? false],
    accelerator: request.accelerator ?? "",
    universal: request.isUniversal ?? false,
    complete: request.noDependencies ?? false,
    previous: request.previous ?? "",
    index: [index.indexUrl, ...index.extraIndexUrls, ...index.findLinks, index.noIndex ? "none" : ""].map(redactUrls),
    settings: settingsContent(place.env, request.folder),
  });
}

/** Variables of uv that decide which versions are taken. No secrets are among them. */
const DECIDING =
  /^UV_(?:EXCLUDE_NEWER(?:_PACKAGE)?|RESOLUTION|PRERELEASE(?:_PACKAGE)?|FORK_STRATEGY|INDEX_STRATEGY|TORCH_BACKEND|CONSTRAINT|OVERRIDE|EXCLUDE|NO_SOURCES(?:_PACKAGE)?|NO_BINARY(?:_PACKAGE)?|NO_BUILD(?:_PACKAGE)?)$/;

function settingsContent(env: UvPlace["env"], folder: string): readonly string[] {
  const variables = Object.entries(env).flatMap(([name, value]) =>
    value && DECIDING.test(name) ? [`${name}=${value}`] : [],
  );
  const files = [...settingsFiles(env), `${folder}/uv.toml`].filter((file) => file.endsWith("uv.toml"));
  return [...variables.toSorted(), ...files.map((file) => redactUrls(textOf(file)))];
}

function textOf(path: string): string {
  return fs.existsSync(path) ? fs.readFileSync(path, "utf8") : "";
}

/** A file and what it includes. */
function contentOf(file: string, folder: string, env: UvPlace["env"]): readonly string[] {
  const read = (path: string): Buffer | undefined => (fs.existsSync(path) ? fs.readFileSync(path) : undefined);
  if (basename(file) === "pyproject.toml") return [fs.readFileSync(file, "utf8")];
  const { files } = readRequirements(file, { read, env, cwd: folder });
  return files.map((path) => read(path)?.toString("utf8") ?? "");
}
