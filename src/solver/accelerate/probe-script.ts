// SPDX-License-Identifier: Apache-2.0
import type { InstallerCommand } from "./installer-command.ts";

/** Where the probe's folder is mounted. */
export const PROBE = "/run/tare-probe";
/** Where the installer's cache is mounted: what an earlier dry run looked at is not downloaded again. */
export const PROBE_CACHE = "/run/tare-probe-cache";

/** Exit codes of the probe that are not the installer's. */
export const PROBE_EXIT = { noInterpreter: 90, oldUv: 91, uvSettings: 92, staleLock: 93 } as const;

/**
 * What an interpreter says of itself: where its installer puts things, what it has. By pip's own functions where there
 * is a pip, which is how it decides; else by sysconfig, as uv does.
 */
export const FACTS_PY = `import json, os, platform, re, sys, sysconfig
settings = []
try:
    from pip._internal.configuration import Configuration
    from pip._internal.locations import get_scheme
    configuration = Configuration(isolated=False)
    configuration.load()
    for key, value in configuration.items():
        settings.extend(value if isinstance(value, dict) else [key])
    scheme = get_scheme("NAME")
    paths = {key: getattr(scheme, key) for key in ("purelib", "platlib", "scripts", "data")}
    paths["headers"] = os.path.dirname(scheme.headers)
except ImportError:
    name = sysconfig.get_preferred_scheme("prefix") if sys.version_info >= (3, 10) else None
    found = sysconfig.get_paths(name) if name else sysconfig.get_paths()
    paths = {key: found[key] for key in ("purelib", "platlib", "scripts", "data")}
    paths["headers"] = found["include"]
    if sys.prefix != sys.base_prefix:
        version = "python%d.%d" % sys.version_info[:2]
        paths["headers"] = os.path.join(sys.prefix, "include", "site", version)
replaced = {}
report = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.json")
if os.path.exists(report):
    from pip._internal.metadata import get_default_environment
    from pip._internal.req.req_uninstall import UninstallPathSet, compress_for_rename
    environment = get_default_environment()
    with open(report, encoding="utf-8") as file:
        names = [item["metadata"]["name"] for item in json.load(file)["install"]]
    for name in names:
        found = environment.get_distribution(name)
        if found is None:
            continue
        try:
            old = UninstallPathSet.from_dist(found)
            gone = sorted(compress_for_rename(getattr(old, "_paths", None) or getattr(old, "paths", ())))
            known = None if getattr(old, "_pth", None) or getattr(old, "pth", None) else gone
        except Exception:
            known = None
        replaced[re.sub(r"[-_.]+", "-", name).lower()] = {"version": str(found.version), "paths": known}
settings_of_venv = os.path.join(sys.prefix, "pyvenv.cfg")
relocatable = False
if os.path.exists(settings_of_venv):
    with open(settings_of_venv, encoding="utf-8") as file:
        relocatable = re.search(r"(?m)^relocatable *= *true", file.read()) is not None
json.dump({
    "executable": sys.executable,
    "version": platform.python_version(),
    "implementation": sys.implementation.name,
    "machine": platform.machine(),
    "libc": platform.libc_ver(),
    "freeThreaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "scheme": paths,
    "writable": os.access(paths["purelib"], os.W_OK) or not os.path.exists(paths["purelib"]),
    "settings": settings,
    "replaced": replaced,
    "relocatable": relocatable,
    "managed": sys.prefix == sys.base_prefix
    and os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")),
}, sys.stdout)
`;

/** The script that asks the installer, in the step's own root file system, what it would do. */
export function probeScript(command: InstallerCommand, text: string): string {
  switch (command.tool) {
    case "pip":
      return pipScript(command, text);
    case "uv":
      return uvScript(command, withoutQuiet(text));
    case "uv sync":
      return syncScript(command, withoutQuiet(text));
  }
}

function pipScript({ program }: InstallerCommand, text: string): string {
  const ask = `${text} --cache-dir ${PROBE_CACHE} --dry-run --report ${PROBE}/report.json >${PROBE}/log 2>&1 || exit $?`;
  const python = program.length > 1 ? quote(program[0] ?? "") : "";
  if (python !== "") return `${ask}\n${python} ${PROBE}/facts.py >${PROBE}/facts.json`;
  return [
    ask,
    `IFS= read -r line <"$(command -v ${quote(program[0] ?? "")})" || exit ${PROBE_EXIT.noInterpreter}`,
    `case $line in '#!/bin/sh'*) exit ${PROBE_EXIT.noInterpreter} ;; '#!'*) ;; *) exit ${PROBE_EXIT.noInterpreter} ;; esac`,
    `\${line#??} ${PROBE}/facts.py >${PROBE}/facts.json`,
  ].join("\n");
}

function uvScript({ program, indexOptions, isSystem }: InstallerCommand, text: string): string {
  const uv = quote(program[0] ?? "");
  const files = '/etc/uv/uv.toml /etc/xdg/uv/uv.toml "$HOME/.config/uv/uv.toml" uv.toml';
  return [
    `for file in ${files}; do test ! -e "$file" || exit ${PROBE_EXIT.uvSettings}; done`,
    `! grep -qs 'tool\\.uv' pyproject.toml || exit ${PROBE_EXIT.uvSettings}`,
    `${text} --cache-dir ${PROBE_CACHE} --dry-run >${PROBE}/log 2>&1 || exit $?`,
    `python=$(${uv} python find ${isSystem ? "--system " : ""}2>/dev/null) || exit ${PROBE_EXIT.noInterpreter}`,
    `"$python" ${PROBE}/facts.py >${PROBE}/facts.json || exit ${PROBE_EXIT.noInterpreter}`,
    `sed -n 's/^ + //p' ${PROBE}/log >${PROBE}/pins.txt`,
    `${uv} pip compile --quiet --no-deps --no-header --format pylock.toml --python "$python" ${indexOptions.map(quote).join(" ")} \\`,
    `  --output-file ${PROBE}/pylock.toml ${PROBE}/pins.txt >${PROBE}/compile.log 2>&1 || exit ${PROBE_EXIT.oldUv}`,
  ].join("\n");
}

/** What would be installed is in the log. */
function withoutQuiet(text: string): string {
  return text.replaceAll(/ (?:-q|--quiet)(?= |$)/g, "");
}

/** Settings of a project that change what a wheel becomes. */
const DECISIVE = "symlink|no-binary|no-build-isolation|reinstall|relocatable";

/**
 * The environment is made here too, with nothing in it: it tells of itself what is asked of any interpreter. `at` goes
 * up from the project's folder, as uv does.
 */
function syncScript({ program, chosen = [] }: InstallerCommand, text: string): string {
  const uv = quote(program[0] ?? "");
  return [
    `export UV_CACHE_DIR=${PROBE_CACHE}`,
    `${text} --dry-run >${PROBE}/log 2>&1 || exit $?`,
    `grep -Eq '^Would (create|update) lockfile' ${PROBE}/log && exit ${PROBE_EXIT.staleLock}`,
    `set -- /etc/uv/uv.toml /etc/xdg/uv/uv.toml "$HOME/.config/uv/uv.toml"`,
    `at=$(pwd)`,
    `while :; do set -- "$@" "\${at%/}/uv.toml" "\${at%/}/pyproject.toml"; test "$at" = / && break; at=$(dirname "$at"); done`,
    `grep -Eqs '${DECISIVE}' "$@" && exit ${PROBE_EXIT.uvSettings}`,
    `grep -Eqs 'compile-bytecode *= *true' "$@" && : >${PROBE}/compiles`,
    `${uv} export --quiet --frozen --format pylock.toml ${chosen.map(quote).join(" ")} --output-file ${PROBE}/pylock.toml \\`,
    `  >${PROBE}/export.log 2>&1 || exit ${PROBE_EXIT.oldUv}`,
    `none=$(sed -n 's/^ + \\([A-Za-z0-9._-]*\\).*/ --no-install-package \\1/p' ${PROBE}/log)`,
    `${text} $none >${PROBE}/environment.log 2>&1 || exit ${PROBE_EXIT.oldUv}`,
    `at=$(sed -n 's/^[A-Z].* environment at: //p' ${PROBE}/log | head -n 1)`,
    `case \${UV_PROJECT_ENVIRONMENT-} in /*) at=$UV_PROJECT_ENVIRONMENT ;; esac`,
    `at=$at/bin/python; test -e "$at" || at=\${at}3`,
    `"$at" ${PROBE}/facts.py >${PROBE}/facts.json || exit ${PROBE_EXIT.noInterpreter}`,
  ].join("\n");
}

/** A word for a POSIX shell. */
export function quote(word: string): string {
  return /^[\w./=:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
