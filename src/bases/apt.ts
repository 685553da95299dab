// SPDX-License-Identifier: Apache-2.0
/*
 * apt with a configuration of our own: nothing of the host's apt is read or written but its keyring. The folder is
 * kept between runs, so that lists are fetched only when they changed and packages only once:
 *
 *   <store>/cache/apt/<suite>-<architecture>/
 *     apt.conf  base.sources  status  lists/  archives/  lock
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, ensureDirectory, execute, withFileLock, writeFileAtomic } from "../base/index.ts";
import type { ExecuteResult } from "../base/index.ts";

/** A folder in which apt works. */
export interface AptFolder {
  readonly path: string;
  readonly lists: string;
  readonly archives: string;
  /** The sources in deb822 style. */
  readonly sources: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A package that will be installed. */
export interface ResolvedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** What apt is to work for. */
export interface AptRequest {
  readonly architecture: string;
  /** In deb822 style. */
  readonly sources: string;
  /** The caller's environment; only variables for proxies are taken from it. */
  readonly proxies: Readonly<Record<string, string | undefined>>;
}

/** Makes or refreshes the folder's configuration. */
export function prepareApt(path: string, request: AptRequest): AptFolder {
  const { architecture, sources } = request;
  const folder = {
    path,
    lists: join(path, "lists"),
    archives: join(path, "archives"),
    sources: join(path, "base.sources"),
    environment: aptEnvironment(join(path, "apt.conf"), request.proxies),
  };
  for (const name of ["lists/partial", "archives/partial", "empty"]) ensureDirectory(join(path, name), 0o755);
  fs.writeFileSync(join(path, "status"), "");
  writeFileAtomic(folder.sources, sources, 0o644);
  writeFileAtomic(join(path, "apt.conf"), configuration(folder, architecture), 0o644);
  return folder;
}

const PROXIES = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

function aptEnvironment(configuration: string, outer: AptRequest["proxies"]): Record<string, string> {
  const proxies = PROXIES.flatMap((name) => (outer[name] === undefined ? [] : [[name, outer[name]] as const]));
  return {
    PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    LC_ALL: "C.UTF-8",
    APT_CONFIG: configuration,
    ...Object.fromEntries(proxies),
  };
}

/** apt.conf(5). `Dir::Etc::parts` points to an empty folder: hooks of the host's packages must not run. */
function configuration(folder: Omit<AptFolder, "environment">, architecture: string): string {
  const empty = join(folder.path, "empty");
  return [
    `Dir::Etc::main "/dev/null";`,
    `Dir::Etc::parts "${empty}";`,
    `Dir::Etc::sourcelist "${folder.sources}";`,
    `Dir::Etc::sourceparts "${empty}";`,
    `Dir::Etc::preferences "/dev/null";`,
    `Dir::Etc::preferencesparts "${empty}";`,
    `Dir::Etc::trusted "/dev/null";`,
    `Dir::Etc::trustedparts "${empty}";`,
    `Dir::State "${folder.path}";`,
    `Dir::State::lists "${folder.lists}";`,
    `Dir::State::status "${folder.path}/status";`,
    `Dir::State::extended_states "${folder.path}/extended_states";`,
    `Dir::Cache "${folder.path}";`,
    `Dir::Cache::archives "${folder.archives}";`,
    `Dir::Log "${folder.path}";`,
    `APT::Architecture "${architecture}";`,
    `APT::Architectures "${architecture}";`,
    `APT::Install-Recommends "false";`,
    `APT::Sandbox::User "root";`,
    `Acquire::Languages "none";`,
    `Acquire::Retries "3";`,
    "",
  ].join("\n");
}

/** Holds the folder's lock while `task` runs; waits for other commands. */
export async function withAptLock<T>(path: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
  ensureDirectory(path, 0o755);
  return await withFileLock(join(path, "lock"), task, signal);
}

/** Fetches the package lists; unchanged ones cost one small request. Throws `E_BASE_SOURCE`. */
export async function updateLists(folder: AptFolder, signal: AbortSignal): Promise<void> {
  const result = await apt(folder, ["update", "-q", "-o", "APT::Update::Error-Mode=any"], signal);
  if (result.code === 0) return;
  throw new TareError("E_BASE_SOURCE", `fetching package lists: ${errorLines(result)}`, {
    hint: "check the network, the mirror (`--mirror`) and the keyring",
  });
}

/** What apt would install for these packages and patterns into an empty system. Throws `E_BASE_SOURCE`. */
export async function resolvePackages(
  folder: AptFolder,
  wanted: readonly string[],
  signal: AbortSignal,
): Promise<readonly ResolvedPackage[]> {
  const result = await apt(folder, ["install", "--simulate", "-q", ...wanted], signal);
  if (result.code !== 0) {
    throw new TareError("E_BASE_SOURCE", `choosing packages ${wanted.join(" ")}: ${errorLines(result)}`, {
      hint: "check the names given with `--package` and the suite",
    });
  }
  return parseSimulation(result.stdout);
}

/** Parses `Inst name (version origin [architecture])` lines; sorted by name. */
export function parseSimulation(text: string): readonly ResolvedPackage[] {
  const packages = text.split("\n").flatMap((line) => {
    const match = /^Inst (\S+) \((\S+) .*\[(\S+)\]\)/.exec(line);
    if (!match) return [];
    const [, name = "", version = "", architecture = ""] = match;
    return [{ name: name.replace(/:\S+$/, ""), version, architecture }];
  });
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Downloads packages that are not there yet; apt checks their digests against the signed lists. */
export async function downloadPackages(
  folder: AptFolder,
  packages: readonly ResolvedPackage[],
  signal: AbortSignal,
): Promise<void> {
  const pins = packages.map((entry) => `${entry.name}=${entry.version}`);
  const result = await apt(folder, ["install", "--download-only", "-q", ...pins], signal);
  if (result.code === 0) return;
  throw new TareError("E_BASE_SOURCE", `downloading ${packages.length} packages: ${errorLines(result)}`);
}

/** How many bytes of packages a download would fetch, as apt says it; 0 when all are there. */
export async function missingBytes(
  folder: AptFolder,
  packages: readonly ResolvedPackage[],
  signal: AbortSignal,
): Promise<number> {
  const pins = packages.map((entry) => `${entry.name}=${entry.version}`);
  const { stdout } = await apt(folder, ["install", "--print-uris", "-qq", ...pins], signal);
  const sizes = stdout.split("\n").map((line) => Number(/^'\S+' \S+ (\d+)/.exec(line)?.[1] ?? 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function apt(folder: AptFolder, args: readonly string[], signal: AbortSignal): Promise<ExecuteResult> {
  const options = { env: folder.environment, signal, keep: 1 << 22 };
  return execute("apt-get", ["--yes", "--no-install-recommends", ...args], options);
}

function errorLines(result: ExecuteResult): string {
  const lines = `${result.stderr}\n${result.stdout}`.split("\n").filter((line) => /^(E|W|Err):/.test(line));
  const told = lines.length > 0 ? lines : result.stderr.trim().split("\n");
  return told.slice(-3).join("; ");
}
