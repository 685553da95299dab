// SPDX-License-Identifier: Apache-2.0
/* One run of uv: the interpreter that stands in for the image's, the user's settings, and what comes out. */
import * as fs from "node:fs";
import { basename, join, relative } from "node:path";
import { TareError, ensureDirectory, execute, isTareError, removeTree } from "../../base/index.ts";
import { readIndexConfig, settingsOfPipAlone } from "../index-client/config.ts";
import { readPyproject } from "../requirements/pyproject.ts";
import { readRequirements } from "../requirements/requirements-file.ts";
import { mustBuild } from "./explain-failure.ts";
import { writeStandIn } from "./stand-in-python.ts";
import { cleaned } from "./clean-lock.ts";
import { ensureUv } from "./uv.ts";
import type { IsolatedUv, ResolveRequest } from "./types.ts";
import type { UvPlace } from "./uv.ts";

/** What uv left. */
export interface UvOutcome {
  readonly code: number;
  /** Without credentials and paths of this machine's store. */
  readonly stderr: string;
  /** The lock or the list; empty after a failure. */
  readonly text: string;
}

/** How its answer is written: a lock, or a list where each line ends with who wants it. */
export type UvFormat = "pylock.toml" | "requirements.txt";

/** Resolves with uv. A failure of uv is an outcome. Throws `E_UV` when it can't be started, `E_ABORTED`. */
export async function runUv(
  place: UvPlace,
  request: ResolveRequest,
  format: UvFormat = "pylock.toml",
): Promise<UvOutcome> {
  const uv = await ensureUv(place);
  const lease = place.store.lease();
  const folder = join(lease.folder, "resolve");
  ensureDirectory(folder);
  try {
    const output = join(folder, format);
    if (request.previous !== undefined && format === "pylock.toml") fs.writeFileSync(output, request.previous);
    const python = writeStandIn(folder, request.target);
    const args = [...argumentsOf(place, request, format), `--python=${python}`, `--output-file=${output}`];
    const result = await execute(uv, args, {
      cwd: request.folder,
      env: environmentOf(place, request, folder),
      ...(place.signal === undefined ? {} : { signal: place.signal }),
    });
    if (result.code !== 0 && request.runIsolated && format === "pylock.toml" && mustBuild(result.stderr)) {
      return await withBuilds(place, request, request.runIsolated);
    }
    const stderr = result.stderr.replaceAll(folder, "…").replaceAll(place.store.root, "…");
    const text = result.code === 0 ? cleaned(fs.readFileSync(output, "utf8"), folder, request.folder) : "";
    return { code: result.code, stderr: withoutSecrets(stderr), text };
  } catch (error) {
    if (!isTareError(error, "E_PROGRAM_MISSING")) throw error;
    throw new TareError("E_UV", `resolving: \`${uv}\` can't be started`, { hint: "check TARE_UV", cause: error });
  } finally {
    removeTree(folder);
    lease.release();
  }
}

function withoutSecrets(text: string): string {
  return text.replaceAll(/(\w+:\/\/)[^/@\s"'`]+@/g, "$1");
}

/** In a container of the base; what fails there is thrown. */
async function withBuilds(place: UvPlace, request: ResolveRequest, run: IsolatedUv): Promise<UvOutcome> {
  const { files, constraints = [] } = request;
  const args = argumentsOf(place, request, "pylock.toml");
  const { pylock, folder } = await run({ args, files: [...files, ...constraints], request });
  return { code: 0, stderr: "", text: cleaned(pylock, folder, request.folder) };
}

function argumentsOf(place: UvPlace, request: ResolveRequest, format: UvFormat): string[] {
  const { files, constraints = [], extras = [], groups = [], target, accelerator, upgrade } = request;
  const minor = target.version.split(".").slice(0, 2).join(".");
  return [
    "pip",
    "compile",
    ...files.map((file) => relative(request.folder, file)),
    ...constraints.flatMap((file) => ["--constraints", file]),
    ...extras.flatMap((extra) => ["--extra", extra]),
    ...groups.flatMap((group) => ["--group", group]),
    `--format=${format}`,
    "--no-python-downloads",
    "--no-header",
    "--no-progress",
    "--color=never",
    ...(format === "requirements.txt" ? ["--annotation-style=line"] : []),
    ...(readIndexConfig(place.env).noIndex ? ["--no-index"] : []),
    ...(isOn(place.env["TARE_OFFLINE"]) ? ["--offline"] : []),
    ...(request.isUniversal ? ["--universal", `--python-version=${minor}`] : []),
    ...(request.noDependencies ? ["--no-deps"] : []),
    ...(accelerator === undefined ? [] : [`--torch-backend=${accelerator}`]),
    ...(upgrade === true ? ["--upgrade"] : (upgrade ?? []).flatMap((name) => ["--upgrade-package", name])),
  ];
}

function isOn(text: string | undefined): boolean {
  return text !== undefined && text !== "" && text !== "0" && text !== "false";
}

/** uv reads neither pip's settings nor its variables: they are translated. */
function environmentOf(place: UvPlace, request: ResolveRequest, folder: string): Record<string, string> {
  const { env, store } = place;
  const {
    indexUrl,
    extraIndexUrls = [],
    findLinks = [],
    trustedHosts = [],
    certificates,
    proxy,
  } = settingsOfPipAlone(env);
  const kept = Object.entries(env).flatMap(([name, value]) =>
    value && KEPT.test(name) ? [[name, value] as const] : [],
  );
  const index = namedIndex(request, env) ?? (hasOwnIndex(request) ? undefined : indexUrl);
  const hasProxy = kept.some(([name]) => /^(?:https?|all)_proxy$/i.test(name));
  return {
    ...Object.fromEntries(kept),
    PATH: env["PATH"] ?? "/usr/bin:/bin",
    HOME: env["HOME"] ?? folder,
    UV_CACHE_DIR: join(store.root, "cache", "uv"),
    ...(certificates !== undefined && !env["SSL_CERT_FILE"] ? { SSL_CERT_FILE: certificates } : {}),
    ...(proxy === undefined || hasProxy ? {} : { ALL_PROXY: proxy }),
    ...(index === undefined ? {} : { UV_DEFAULT_INDEX: index }),
    ...(extraIndexUrls.length > 0 ? { UV_INDEX: extraIndexUrls.join(" ") } : {}),
    ...(findLinks.length > 0 ? { UV_FIND_LINKS: findLinks.filter(isThere).join(",") } : {}),
    ...(trustedHosts.length > 0 ? { UV_INSECURE_HOST: trustedHosts.join(" ") } : {}),
  };
}

/** `--index-url` of the requirements: as in pip, it goes before settings and variables. */
function namedIndex({ files, folder }: ResolveRequest, env: UvPlace["env"]): string | undefined {
  const read = (path: string): Buffer | undefined => (fs.existsSync(path) ? fs.readFileSync(path) : undefined);
  const lists = files.filter((file) => basename(file) !== "pyproject.toml");
  return lists.flatMap((file) => readRequirements(file, { read, env, cwd: folder }).options.indexUrl ?? []).at(-1);
}

/** pyproject.toml names the index itself, for uv. */
function hasOwnIndex({ files }: ResolveRequest): boolean {
  const [file] = files.filter((each) => basename(each) === "pyproject.toml");
  if (file === undefined) return false;
  const { uv } = readPyproject(fs.readFileSync(file, "utf8"), "pyproject.toml");
  return uv?.indexes.some(({ isDefault }) => isDefault) ?? false;
}

const KEPT =
  /^(?:UV_(?!WORKING_DIR|PROJECT|PYTHON|SYSTEM_PYTHON).*|NETRC|SSL_CERT_FILE|SSL_CERT_DIR|SSL_CLIENT_CERT|(?:https?|all|no)_proxy|XDG_CONFIG_HOME|LANG)$/i;

/** A folder of the configuration that is not here ends uv, but not pip. */
function isThere(place: string): boolean {
  return /^\w+:/.test(place) || fs.existsSync(place);
}
