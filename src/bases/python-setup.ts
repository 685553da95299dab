// SPDX-License-Identifier: Apache-2.0
/*
 * Makes Debian's Python feel like the official image's: `python`, `python3`, `pip` in /usr/local/bin, and an
 * environment that pip may write to. The package python3-pip is not used: it would bring setuptools, wheel and 14 MB
 * of dependencies into /usr/lib; the wheels that python3-venv carries for new environments are installed instead,
 * into /usr/local/lib/python3.X/dist-packages, where `pip install` puts everything else too.
 */

/** A shell script that mmdebstrap runs with the new root as `$1`. */
export const PYTHON_SETUP: string = [
  "set -e",
  'root="$1"',
  'version=$(chroot "$root" /usr/bin/python3 -c "import sys; print(\'%d.%d\' % sys.version_info[:2])")',
  'for name in python python3 "python$version"; do ln -sf "/usr/bin/python$version" "$root/usr/local/bin/$name"; done',
  'rm -f "$root/usr/lib/python$version/EXTERNALLY-MANAGED"',
  "names=",
  'for wheel in "$root"/usr/share/python-wheels/*.whl; do',
  '  case "${wheel##*/}" in',
  '    pip-*) names="$names pip"; pip="/usr/share/python-wheels/${wheel##*/}/pip" ;;',
  '    setuptools-*) names="$names setuptools" ;;',
  '    wheel-*) names="$names wheel" ;;',
  "  esac",
  "done",
  'chroot "$root" /usr/bin/env PYTHONDONTWRITEBYTECODE=1 /usr/local/bin/python3 "$pip" install --quiet --no-index \\',
  "  --no-deps --no-compile --no-cache-dir --disable-pip-version-check --root-user-action=ignore \\",
  "  --find-links /usr/share/python-wheels $names",
].join("\n");

/** Packages that only some versions have: distutils left Python in 3.12 and is a package of its own before that. */
export function pythonExtras(version: string): readonly string[] {
  const minor = Number(version.split(".")[1]);
  return minor < 12 ? ["python3-distutils", "python3-setuptools-whl"] : [];
}
