// SPDX-License-Identifier: Apache-2.0
/* Requirements to a lock, by uv, for the interpreter of an image. A result is remembered, so that it holds offline. */
import * as fs from "node:fs";
import { basename, join, relative, resolve as resolvePath } from "node:path";
import { TareError, digestOfValue, ensureDirectory, execute, isTareError, removeTree } from "../../base/index.ts";
import { withoutCredentials } from "../../http/index.ts";
import { readIndexConfig } from "../index-client/config.ts";
import { readRequirements } from "../requirements/requirements-file.ts";
import { explainFailure, mustBuild } from "./explain.ts";
import { writeStandIn } from "./stand-in-python.ts";
import { UV_VERSION, ensureUv } from "./uv.ts";
import type { Digest } from "../../base/index.ts";
import type { PythonTarget } from "../types.ts";
import type { UvPlace } from "./uv.ts";

/** What is to be resolved. */
export interface ResolveRequest {
  /** Absolute path of the project: relative paths in requirements start here. */
  readonly folder: string;
  /** Absolute paths of requirements files, or of one pyproject.toml. */
  readonly files: readonly string[];
  readonly constraints?: readonly string[];
  /** Extras and groups of pyproject.toml. */
  readonly extras?: readonly string[];
  readonly groups?: readonly string[];
  readonly target: PythonTarget;
  /** `cpu`, `cu126`, `rocm6.3` …: which builds of torch and its kin. */
  readonly accelerator?: string;
  /** For every platform and Python from the target's on. */
  readonly isUniversal?: boolean;
  /** Take the files as complete: nothing more is needed. */
  readonly noDependencies?: boolean;
  /** A lock whose versions are kept where they still fit. */
  readonly previous?: string;
  /** Names to move to their newest versions; `true` for all. */
  readonly upgrade?: true | readonly string[];
  /** Asks again although the answer is known. */
  readonly refresh?: boolean;
  /** Runs uv where sources can be built, when they must be to know what they need. Absent: that is an error. */
  readonly runIsolated?: IsolatedUv;
}

/** uv with a real interpreter; gives the lock that it wrote. */
export type IsolatedUv = (run: {
  /** Besides `--python` and `--output-file`. */
  readonly args: readonly string[];
  /** Absolute paths of files that it reads besides those of the folder. */
  readonly files: readonly string[];
  readonly request: ResolveRequest;
}) => Promise<{ readonly pylock: string; /** That paths in it are relative to. */ readonly folder: string }>;

/** A resolved set. */
export interface Resolution {
  /** A lock in the format of PEP 751; paths in it are relative to `folder`. */
  readonly pylock: string;
  readonly isFromCache: boolean;
  /** Identifies what was asked: equal questions have equal keys. */
  readonly key: Digest;
}

const RESOLUTIONS = "resolution";

/**
 * Resolves. Throws `E_RESOLVE` with an explanation when nothing fits, `E_REQUIREMENTS`, `E_UV`, and what fetching uv
 * throws. Credentials reach uv by its environment alone, and are in no result.
 */
export async function resolve(place: UvPlace, request: ResolveRequest): Promise<Resolution> {
  const known = place.store.documents<string>(RESOLUTIONS);
  const key = keyOf(place, request);
  const cached = request.refresh || request.upgrade !== undefined ? undefined : known.get(key);
  if (cached !== undefined) return { pylock: cached, isFromCache: true, key };
  const pylock = await runUv(place, request);
  if (known.get(key) === undefined) known.insert(key, undefined, pylock);
  else known.update(key, () => pylock);
  return { pylock, isFromCache: false, key };
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
    index: [index.indexUrl, ...index.extraIndexUrls, ...index.findLinks].map(withoutCredentials),
  });
}

/** A file and what it includes. */
function contentOf(file: string, folder: string, env: UvPlace["env"]): readonly string[] {
  const read = (path: string): Buffer | undefined => (fs.existsSync(path) ? fs.readFileSync(path) : undefined);
  if (basename(file) === "pyproject.toml") return [fs.readFileSync(file, "utf8")];
  const { files } = readRequirements(file, { read, env, cwd: folder });
  return files.map((path) => read(path)?.toString("utf8") ?? "");
}

async function runUv(place: UvPlace, request: ResolveRequest): Promise<string> {
  const uv = await ensureUv(place);
  const lease = place.store.lease();
  const folder = join(lease.folder, "resolve");
  ensureDirectory(folder);
  try {
    const output = join(folder, "pylock.toml");
    if (request.previous !== undefined) fs.writeFileSync(output, request.previous);
    const python = writeStandIn(folder, request.target);
    const args = [...argumentsOf(request), `--python=${python}`, `--output-file=${output}`];
    const result = await execute(uv, args, {
      cwd: request.folder,
      env: environmentOf(place, folder),
      ...(place.signal === undefined ? {} : { signal: place.signal }),
    });
    if (result.code === 0) return cleaned(fs.readFileSync(output, "utf8"), folder, request.folder);
    if (!request.runIsolated || !mustBuild(result.stderr)) throw explainFailure(result.stderr, request);
    const isolated = await request.runIsolated({ args: argumentsOf(request), files: inputsOf(request), request });
    return cleaned(isolated.pylock, isolated.folder, request.folder);
  } catch (error) {
    if (isTareError(error) && error.code === "E_PROGRAM_MISSING") {
      throw new TareError("E_UV", `resolving: \`${uv}\` can't be started`, { hint: "check TARE_UV", cause: error });
    }
    throw error;
  } finally {
    removeTree(folder);
    lease.release();
  }
}

/** Files that may stand outside the project. */
function inputsOf({ files, constraints = [] }: ResolveRequest): readonly string[] {
  return [...files, ...constraints];
}

function argumentsOf(request: ResolveRequest): string[] {
  const { files, constraints = [], extras = [], groups = [], target, accelerator, upgrade } = request;
  const minor = target.version.split(".").slice(0, 2).join(".");
  return [
    "pip",
    "compile",
    ...files.map((file) => relative(request.folder, file)),
    ...constraints.flatMap((file) => ["--constraints", file]),
    ...extras.flatMap((extra) => ["--extra", extra]),
    ...groups.flatMap((group) => ["--group", group]),
    "--format=pylock.toml",
    "--no-python-downloads",
    "--no-header",
    "--no-progress",
    "--quiet",
    "--color=never",
    "--custom-compile-command=tare lock",
    ...(request.isUniversal ? ["--universal", `--python-version=${minor}`] : []),
    ...(request.noDependencies ? ["--no-deps"] : []),
    ...(accelerator === undefined || accelerator === "auto" ? [] : [`--torch-backend=${accelerator}`]),
    ...(upgrade === true ? ["--upgrade"] : (upgrade ?? []).flatMap((name) => ["--upgrade-package", name])),
  ];
}

/** uv reads neither pip's settings nor its variables: they are translated. */
function environmentOf(place: UvPlace, folder: string): Record<string, string> {
  const { env, store } = place;
  const index = readIndexConfig(env);
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && KEPT.test(name)) as [
    string,
    string,
  ][];
  return {
    ...Object.fromEntries(kept),
    PATH: env["PATH"] ?? "/usr/bin:/bin",
    HOME: env["HOME"] ?? folder,
    UV_CACHE_DIR: join(store.root, "cache", "uv"),
    ...(env["PIP_CERT"] !== undefined && env["SSL_CERT_FILE"] === undefined ? { SSL_CERT_FILE: env["PIP_CERT"] } : {}),
    ...(isConfigured(env) ? { UV_DEFAULT_INDEX: index.indexUrl } : {}),
    ...(index.extraIndexUrls.length > 0 ? { UV_INDEX: index.extraIndexUrls.join(" ") } : {}),
    ...(index.findLinks.length > 0 ? { UV_FIND_LINKS: index.findLinks.filter(isThere).join(",") } : {}),
    ...(index.trustedHosts.length > 0 ? { UV_INSECURE_HOST: index.trustedHosts.join(" ") } : {}),
  };
}

const KEPT =
  /^(?:UV_.*|NETRC|SSL_CERT_FILE|SSL_CERT_DIR|SSL_CLIENT_CERT|(?:https?|all|no)_proxy|XDG_CONFIG_HOME|LANG)$/i;

/** uv's own default is as good as the one known here. */
function isConfigured(env: UvPlace["env"]): boolean {
  return (
    readIndexConfig(env).indexUrl !== readIndexConfig({ HOME: "/nonexistent", PIP_CONFIG_FILE: "/dev/null" }).indexUrl
  );
}

/** A folder of the configuration that is not here ends uv, but not pip. */
function isThere(place: string): boolean {
  return /^\w+:/.test(place) || fs.existsSync(place);
}

/** No credentials, and local paths relative to the project instead of to uv's output. */
function cleaned(text: string, from: string, folder: string): string {
  return text.replaceAll(/(https?:\/\/)[^/@\s"]+@/g, "$1").replaceAll(/\bpath = "([^"]*)"/g, (whole, path: string) => {
    const moved = relative(folder, resolvePath(from, path));
    return path.startsWith("/") ? whole : `path = "${moved === "" ? "." : moved}"`;
  });
}
