"""Writes tags.json, the oracle of tags.test.ts: what the `packaging` library of Python says. Needs `packaging` alone."""
import hashlib, json, pathlib, sys
import packaging
from packaging import tags, _manylinux, _musllinux

TARGETS = [
    # version, free-threaded, machine, C library and its version
    ("3.9", False, "x86_64", ("glibc", 2, 17)),
    ("3.11", False, "x86_64", ("glibc", 2, 36)),
    ("3.11", False, "i686", ("glibc", 2, 31)),
    ("3.12", False, "aarch64", ("glibc", 2, 28)),
    ("3.12", False, "x86_64", ("musl", 1, 2)),
    ("3.13", True, "x86_64", ("glibc", 2, 41)),
    ("3.13", False, "ppc64le", ("glibc", 2, 36)),
    ("3.14", False, "s390x", ("glibc", 2, 36)),
    ("3.10", False, "aarch64", ("musl", 1, 1)),
]


def platforms(machine, libc):
    kind, major, minor = libc
    _manylinux._get_glibc_version = lambda: (major, minor) if kind == "glibc" else (-1, -1)
    _manylinux._have_compatible_abi = lambda executable, archs: True
    _manylinux._is_compatible = lambda arch, version: version <= (major, minor)
    _musllinux._get_musl_version = lambda executable: _musllinux._MuslVersion(major, minor) if kind == "musl" else None
    return [*(_manylinux.platform_tags([machine]) if kind == "glibc" else []), *_musllinux.platform_tags([machine]), f"linux_{machine}"]


def lines(version, threaded, machine, libc):
    python = tuple(map(int, version.split(".")))
    short = "".join(map(str, python))
    found = platforms(machine, libc)
    abis = [f"cp{short}t" if threaded else f"cp{short}"]
    yield from tags.cpython_tags(python_version=python, abis=abis, platforms=found)
    yield from tags.compatible_tags(python_version=python, interpreter=f"cp{short}", platforms=found)


rows = []
for target in TARGETS:
    found = list(dict.fromkeys(map(str, lines(*target))))
    version, threaded, machine, (kind, major, minor) = target
    rows.append({
        "version": version, "isFreeThreaded": threaded, "machine": machine, "libc": {"kind": kind, "version": f"{major}.{minor}"},
        "count": len(found), "sha256": hashlib.sha256("\n".join(found).encode()).hexdigest(),
        "sample": found[:: max(1, len(found) // 40)],
    })
path = pathlib.Path(__file__).with_name("tags.json")
path.write_text(json.dumps({"packaging": packaging.__version__, "targets": rows}, indent=1) + "\n")
