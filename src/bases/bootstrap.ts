// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { DEFAULT_EPOCH, TareError, execute } from "../base/index.ts";
import type { AptFolder, ResolvedPackage } from "./apt.ts";
import { PYTHON_SETUP } from "./python-setup.ts";
import type { Recipe } from "./recipe.ts";

/** What mmdebstrap is to make. */
export interface BootstrapRequest {
  readonly recipe: Recipe;
  readonly architecture: string;
  readonly apt: AptFolder;
  readonly packages: readonly ResolvedPackage[];
  /** Empty directory that becomes the root file system. */
  readonly tree: string;
  /** Folder for temporary files on the same disk. */
  readonly temporary: string;
  readonly signal: AbortSignal;
  readonly onOutput: (stream: 1 | 2, data: Buffer) => void;
}

/** What `-slim` leaves out; licences stay, as the archive's policy asks. The rules hold for later installs too. */
const SLIM_RULES = [
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
  "path-exclude=/usr/share/groff/*",
  "path-exclude=/usr/share/info/*",
  "path-exclude=/usr/share/linda/*",
  "path-exclude=/usr/share/lintian/*",
  "path-exclude=/usr/share/locale/*",
  "path-include=/usr/share/locale/locale.alias",
  "path-exclude=/usr/share/man/*",
];

/** Suites whose package `base-files` does not bring the links `/bin → usr/bin` … by itself. */
const NEEDS_MERGED_LINKS = ["bullseye", "bookworm", "focal", "jammy", "noble"];
const MERGED_HOOKS = "/usr/share/mmdebstrap/hooks/merged-usr";

/** What a minimal system consists of, in apt's pattern language (apt-patterns(7)). */
export function systemPackages(recipe: Recipe): readonly string[] {
  const merged = usesMergedHook(recipe) ? ["usr-is-merged"] : [];
  return ["?essential", "apt", "?priority(required)", ...merged];
}

function usesMergedHook(recipe: Recipe): boolean {
  return NEEDS_MERGED_LINKS.includes(recipe.suite.name) && !["bullseye", "focal"].includes(recipe.suite.name);
}

/**
 * Installs exactly `packages` from the apt folder's downloads into `tree`, without network: lists and packages are
 * linked in before mmdebstrap looks for them. Runs in mount and pid namespaces of its own, so that nothing stays
 * mounted or running however this process ends. Throws `E_BASE_FAILED`, `E_PROGRAM_MISSING`.
 */
export async function bootstrap(request: BootstrapRequest): Promise<void> {
  const log: string[] = [];
  const result = await execute("setpriv", commandLine(request), {
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      LC_ALL: "C.UTF-8",
      HOME: "/root",
      TMPDIR: request.temporary,
      SOURCE_DATE_EPOCH: String(DEFAULT_EPOCH),
    },
    signal: request.signal,
    onOutput: (stream, data) => {
      log.push(...data.toString("utf8").split("\n"));
      log.splice(0, log.length - 50);
      request.onOutput(stream, data);
    },
  });
  if (result.code === 0 && result.signal === null) return;
  const lines = log.filter((line) => line.trim() !== "").slice(-8);
  throw new TareError("E_BASE_FAILED", `assembling \`${request.recipe.name}\` with mmdebstrap: ${lines.join("\n")}`);
}

function commandLine(request: BootstrapRequest): string[] {
  const isolation = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"];
  return [
    "--pdeathsig",
    "KILL",
    "unshare",
    ...isolation,
    "mmdebstrap",
    "--mode=root",
    "--format=directory",
    "--variant=essential",
    `--architectures=${request.architecture}`,
    "--skip=update,download/empty",
    ...(usesMergedHook(request.recipe) ? [`--hook-dir=${MERGED_HOOKS}`] : []),
    `--setup-hook=sh ${quote(writeSetupHook(request))} "$1"`,
    ...["force-unsafe-io", ...(request.recipe.slim ? SLIM_RULES : [])].map((rule) => `--dpkgopt=${rule}`),
    ...APT_RULES.map((rule) => `--aptopt=${rule}`),
    ...request.packages.map((entry) => `--include=${entry.name}=${entry.version}`),
    ...(request.recipe.python === undefined ? [] : [`--customize-hook=${PYTHON_SETUP}`]),
    request.recipe.suite.name,
    request.tree,
    request.apt.sources,
  ];
}

/** Small lists and no downloads left behind in layers of later builds. */
const APT_RULES = [
  'APT::Keep-Downloaded-Packages "false"',
  'APT::AutoRemove::SuggestsImportant "false"',
  'Acquire::GzipIndexes "true"',
  'Acquire::Languages "none"',
];

/** Links lists and exactly the chosen packages into the new root, or copies them when it is on another disk. */
function writeSetupHook(request: BootstrapRequest): string {
  const path = join(request.temporary, "setup-hook.sh");
  const { lists, archives } = request.apt;
  const script = [
    "set -e",
    'mkdir -p "$1/var/cache/apt/archives/partial" "$1/var/lib/apt/lists/partial"',
    'put() { cp -al -- "$@" 2>/dev/null || cp -a -- "$@"; }',
    `put ${quote(archives)}/*.deb "$1/var/cache/apt/archives/"`,
    `put ${quote(lists)}/*_* "$1/var/lib/apt/lists/"`,
    "",
  ].join("\n");
  fs.writeFileSync(path, script, { mode: 0o600 });
  return path;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
