// SPDX-License-Identifier: Apache-2.0
/* Words of an installer's command line, and the options of pip by what they change. */

/** Options of `pip install` that take a value and leave everything to the dry run. */
export const PIP_WITH_VALUE: ReadonlySet<string> = new Set([
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
  "--group",
  "--src",
  "-C",
  "--config-settings",
  "--config-setting",
]);

/** The same without a value. */
export const PIP_FLAGS: ReadonlySet<string> = new Set([
  "--no-cache-dir",
  "--no-index",
  "--pre",
  "--no-deps",
  "-U",
  "--upgrade",
  "--force-reinstall",
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
  "--ignore-requires-python",
  "--isolated",
  "--use-pep517",
  "--no-clean",
  "--check-build-dependencies",
]);

/** Options for which a step runs as written, and why. */
export const WHY_NOT: ReadonlyMap<string, string> = new Map([
  ["-e", "an editable install needs its sources"],
  ["--editable", "an editable install needs its sources"],
  ["--user", "--user installs into a home directory"],
  ["-t", "--target installs elsewhere"],
  ["--target", "--target installs elsewhere"],
  ["--prefix", "--prefix installs elsewhere"],
  ["--root", "--root installs elsewhere"],
  ["-I", "--ignore-installed overwrites what is there"],
  ["--ignore-installed", "--ignore-installed overwrites what is there"],
  ["--dry-run", "--dry-run installs nothing"],
  ["--report", "--report writes a file"],
  ["--log", "--log writes a file"],
  ["--log-file", "--log-file writes a file"],
  ["--python", "--python installs elsewhere"],
]);

/** True for an option of `pip install`, by its long name, that leaves everything to the dry run. */
export function isNeutralForPip(option: string): boolean {
  return PIP_WITH_VALUE.has(option) || PIP_FLAGS.has(option);
}

/** `--name=value` taken apart. */
export function splitOption(word: string): readonly [string, string | undefined] {
  const at = word.indexOf("=");
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

/** Why a positional argument can't come from a wheel of an index. */
export function localTarget(word: string): string | undefined {
  if (/\.whl(?:#|\[|$)/.test(word) || /^https?:/.test(word)) return undefined;
  const isFolder = /^\.{1,2}(?:[/[]|$)/.test(word) || word.startsWith("/");
  return isFolder ? `\`${word}\` is built from its sources` : undefined;
}
