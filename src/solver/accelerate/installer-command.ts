// SPDX-License-Identifier: Apache-2.0
/*
 * Which installer a RUN step calls, and whether its result can be had from wheels alone. Options are sorted into those
 * that change nothing about *what* is installed where (or that the dry run obeys by itself), and all others, for which
 * the step runs as written.
 */
import type { SimpleCommand } from "./shell-command.ts";

/** An installation that wheels can replace, if its dry run agrees. */
export interface InstallerCommand {
  readonly tool: "pip" | "uv";
  /** Words that start the installer: `pip`, or `python3 -m pip`. */
  readonly program: readonly string[];
  /** `--no-compile`: no bytecode was wanted; `--compile-bytecode` of uv: it was. */
  readonly compile: boolean | undefined;
  /** uv's options that choose indexes, to ask them again for the files. */
  readonly indexOptions: readonly string[];
}

/** A reading of a command: an installation, why one can't be replaced, or undefined for something else. */
export type InstallerReading = { readonly command: InstallerCommand } | { readonly reason: string } | undefined;

/** Options of `pip install` that take a value and leave everything to the dry run. */
const PIP_WITH_VALUE: ReadonlySet<string> = new Set([
  "-r",
  "--requirement",
  "-c",
  "--constraint",
  "-i",
  "--index-url",
  "--pypi-url",
  "--extra-index-url",
  "-f",
  "--find-links",
  "--cache-dir",
  "--trusted-host",
  "--cert",
  "--client-cert",
  "--proxy",
  "--timeout",
  "--default-timeout",
  "--retries",
  "--upgrade-strategy",
  "--only-binary",
  "--no-binary",
  "--progress-bar",
  "--root-user-action",
  "--exists-action",
  "--use-feature",
  "--use-deprecated",
  "--keyring-provider",
  "--resume-retries",
  "--log",
  "--log-file",
]);

/** The same without a value. */
const PIP_FLAGS: ReadonlySet<string> = new Set([
  "--no-cache-dir",
  "--no-index",
  "--pre",
  "--no-deps",
  "-U",
  "--upgrade",
  "--prefer-binary",
  "--require-hashes",
  "--no-compile",
  "--compile",
  "-q",
  "-qq",
  "-qqq",
  "--quiet",
  "-v",
  "-vv",
  "-vvv",
  "--verbose",
  "--no-color",
  "--no-input",
  "--disable-pip-version-check",
  "--break-system-packages",
  "--no-warn-script-location",
  "--no-warn-conflicts",
  "--no-python-version-warning",
  "--no-build-isolation",
  "--use-pep517",
  "--no-clean",
  "--check-build-dependencies",
]);

const WHY_NOT: ReadonlyMap<string, string> = new Map([
  ["-e", "an editable install needs its sources"],
  ["--editable", "an editable install needs its sources"],
  ["--user", "--user installs into a home directory"],
  ["-t", "--target installs elsewhere"],
  ["--target", "--target installs elsewhere"],
  ["--prefix", "--prefix installs elsewhere"],
  ["--root", "--root installs elsewhere"],
  ["-I", "--ignore-installed overwrites what is there"],
  ["--ignore-installed", "--ignore-installed overwrites what is there"],
  ["--force-reinstall", "--force-reinstall replaces what is there"],
  ["--dry-run", "--dry-run installs nothing"],
  ["--report", "--report writes a file"],
]);

const PIP = /^(?:\/[^ ]*\/)?pip(?:3(?:\.\d+)?)?$/;
const PYTHON = /^(?:\/[^ ]*\/)?python(?:3(?:\.\d+)?)?$/;
const UV = /^(?:\/[^ ]*\/)?uv$/;

/** Reads one command. */
export function readInstaller({ words }: SimpleCommand): InstallerReading {
  const [first = "", second, third] = words;
  if (PIP.test(first)) return readPip(words.slice(0, 1), words.slice(1));
  if (PYTHON.test(first) && second === "-m" && third === "pip") return readPip(words.slice(0, 3), words.slice(3));
  if (UV.test(first)) return readUv(first, words.slice(1));
  return undefined;
}

/** Commands beside an installation that change nothing when it takes no part: they clear the installer's cache. */
export function clearsCache({ words }: SimpleCommand): boolean {
  const [first = "", ...rest] = words;
  if (PIP.test(first)) return rest.join(" ") === "cache purge";
  if (UV.test(first)) return rest.join(" ") === "cache clean";
  const paths = rest.filter((word) => !word.startsWith("-"));
  const isCache = (path: string): boolean => /^\/root\/\.cache(?:\/(?:pip|uv)(?:\/.*)?)?\/?$/.test(path);
  return first === "rm" && paths.length > 0 && paths.every(isCache);
}

function readPip(program: readonly string[], words: readonly string[]): InstallerReading {
  const { globals, rest } = pipGlobals(words);
  if (rest[0] !== "install") return undefined;
  const options = pipOptions([...globals, ...rest.slice(1)]);
  if ("reason" in options) return options;
  if (!options.hasTarget) return { reason: "nothing to install is named" };
  return { command: { tool: "pip", program, compile: options.compile, indexOptions: [] } };
}

/** Options that stand before `install`. */
function pipGlobals(words: readonly string[]): {
  readonly globals: readonly string[];
  readonly rest: readonly string[];
} {
  let at = 0;
  while (words[at]?.startsWith("-")) at += PIP_WITH_VALUE.has(words[at] ?? "") ? 2 : 1;
  return { globals: words.slice(0, at), rest: words.slice(at) };
}

type PipOptions = { readonly compile: boolean | undefined; readonly hasTarget: boolean } | { readonly reason: string };

function pipOptions(words: readonly string[]): PipOptions {
  let compile: boolean | undefined;
  let hasTarget = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const [name = "", value] = word.startsWith("--") ? splitOption(word) : [shortName(word), undefined];
    if (!word.startsWith("-")) {
      const reason = localTarget(word);
      if (reason !== undefined) return { reason };
      hasTarget = true;
    } else if (PIP_WITH_VALUE.has(name)) {
      if (name === "-r" || name === "--requirement") hasTarget = true;
      if (value === undefined && name === word) at += 1;
    } else if (PIP_FLAGS.has(word)) {
      if (word === "--compile" || word === "--no-compile") compile = word === "--compile";
    } else return { reason: WHY_NOT.get(name) ?? `the option ${name} is not known to leave wheels as they are` };
  }
  return { compile, hasTarget };
}

function splitOption(word: string): readonly [string, string | undefined] {
  const at = word.indexOf("=");
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

/** `-rrequirements.txt` is `-r`, `-qq` itself. */
function shortName(word: string): string {
  return PIP_FLAGS.has(word) ? word : word.slice(0, 2);
}

/** Why a positional argument can't come from a wheel of an index. */
function localTarget(word: string): string | undefined {
  if (/\.whl(?:#|\[|$)/.test(word) || /^https?:/.test(word)) return undefined;
  const isFolder = /^\.{1,2}(?:[/[]|$)/.test(word) || word.startsWith("/");
  return isFolder ? `\`${word}\` is built from its sources` : undefined;
}

/** Options of `uv pip install` and `uv sync` that change nothing about what is installed where. */
const UV_WITH_VALUE: ReadonlySet<string> = new Set([
  "-r",
  "--requirement",
  "--requirements",
  "-c",
  "--constraint",
  "--constraints",
  "-b",
  "--build-constraints",
  "-i",
  "--index-url",
  "--index",
  "--default-index",
  "--extra-index-url",
  "-f",
  "--find-links",
  "--index-strategy",
  "--keyring-provider",
  "--allow-insecure-host",
  "--resolution",
  "--prerelease",
  "--exclude-newer",
  "--link-mode",
  "--cache-dir",
  "--only-binary",
  "--no-binary",
  "--torch-backend",
  "--extra",
  "--group",
  "--color",
]);

/** Those that choose where files come from. */
const UV_INDEX: ReadonlySet<string> = new Set([
  "-i",
  "--index-url",
  "--index",
  "--default-index",
  "--extra-index-url",
  "-f",
  "--find-links",
  "--index-strategy",
  "--keyring-provider",
  "--allow-insecure-host",
  "--prerelease",
  "--exclude-newer",
  "--torch-backend",
]);

const UV_FLAGS: ReadonlySet<string> = new Set([
  "--system",
  "--no-cache",
  "-n",
  "--no-index",
  "--no-deps",
  "-U",
  "--upgrade",
  "--require-hashes",
  "--no-verify-hashes",
  "--compile-bytecode",
  "--no-compile-bytecode",
  "--break-system-packages",
  "--no-build",
  "--no-build-isolation",
  "-q",
  "--quiet",
  "-v",
  "--verbose",
  "--no-progress",
  "--native-tls",
  "--offline",
  "--all-extras",
  "--no-config",
]);

function readUv(program: string, words: readonly string[]): InstallerReading {
  if (words[0] === "sync") return { reason: "`uv sync` makes an environment of its own" };
  if (words[0] !== "pip" || words[1] !== "install") return undefined;
  let compile = false;
  let hasTarget = false;
  let isSystem = false;
  const indexOptions: string[] = [];
  for (let at = 2; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const [name = "", value] = word.startsWith("--") ? splitOption(word) : [word.slice(0, 2), undefined];
    if (!word.startsWith("-")) {
      const reason = localTarget(word);
      if (reason !== undefined) return { reason };
      hasTarget = true;
    } else if (UV_WITH_VALUE.has(name)) {
      const hasOwnWord = value === undefined && name === word;
      if (/^(?:-r|--requirements?)$/.test(name)) hasTarget = true;
      if (UV_INDEX.has(name)) indexOptions.push(...words.slice(at, hasOwnWord ? at + 2 : at + 1));
      if (hasOwnWord) at += 1;
    } else if (UV_FLAGS.has(word)) {
      isSystem ||= word === "--system";
      compile ||= word === "--compile-bytecode";
    } else return { reason: WHY_NOT.get(name) ?? `the option ${name} is not known to leave wheels as they are` };
  }
  if (!hasTarget) return { reason: "nothing to install is named" };
  if (!isSystem) return { reason: "without --system, uv installs into a virtual environment" };
  return { command: { tool: "uv", program: [program], compile, indexOptions } };
}
