// SPDX-License-Identifier: Apache-2.0
import type { InstallerCommand } from "./installer-command.ts";

/** Where the probe's folder is mounted. */
export const PROBE = "/run/tare-probe";
/** Where the installer's cache is mounted: what an earlier dry run looked at is not downloaded again. */
export const PROBE_CACHE = "/run/tare-probe-cache";

/** Exit codes of the probe that are not the installer's. */
export const PROBE_EXIT = { noInterpreter: 90, oldUv: 91, uvSettings: 92 } as const;

/**
 * What an interpreter says of itself: where its installer puts things, what it has. By pip's own functions where there
 * is a pip, which is how it decides; else by sysconfig, as uv does.
 */
export const FACTS_PY = `import importlib.metadata, json, os, platform, re, sys, sysconfig
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
installed = {}
for found in importlib.metadata.distributions():
    name = found.metadata["Name"]
    if name:
        installed[re.sub(r"[-_.]+", "-", name).lower()] = found.version
json.dump({
    "executable": sys.executable,
    "version": platform.python_version(),
    "implementation": sys.implementation.name,
    "machine": platform.machine(),
    "libc": platform.libc_ver(),
    "freeThreaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "scheme": paths,
    "writable": os.access(paths["purelib"], os.W_OK) or not os.path.exists(paths["purelib"]),
    "installed": installed,
    "settings": settings,
    "managed": sys.prefix == sys.base_prefix
    and os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")),
}, sys.stdout)
`;

/** The script that asks the installer, in the step's own root file system, what it would do. */
export function probeScript(command: InstallerCommand, text: string): string {
  return command.tool === "pip" ? pipScript(command, text) : uvScript(command, text);
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

/** A word for a POSIX shell. */
export function quote(word: string): string {
  return /^[\w./=:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
