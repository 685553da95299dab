"""Writes oracle.json: what the `packaging` library of Python says of versions, specifiers and markers."""
import json, pathlib, random
import packaging
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

chance = random.Random(440)
pick = chance.choice


def version():
    text = pick(["", "", "", "1!"]) + ".".join(str(pick([0, 0, 1, 2, 3, 9, 10, 11, 2026])) for _ in range(pick([1, 2, 2, 3, 3, 4])))
    text += pick(["", "", "", "", "a1", "b2", "rc1", ".alpha.3", "-beta", "c4"])
    text += pick(["", "", "", "", ".post1", "-2", ".rev3"])
    text += pick(["", "", "", "", ".dev0", ".dev5"])
    return text + pick(["", "", "", "", "", "+cpu", "+cu126.1", "+Ubuntu-1"])


def clause():
    operator = pick(["==", "!=", "<=", ">=", "<", ">", "~=", "===", "==*", "!=*"])
    number = version()
    if operator in ("==*", "!=*"):
        release = str(Version(number).release[:2])[1:-1].replace(", ", ".").strip(",").rstrip(".")
        return f"{operator[:2]}{release}.*"
    if operator == "~=":
        parts = Version(number)
        release = list(parts.release) + [0] * (2 - len(parts.release))
        return "~=" + ".".join(map(str, release)) + ("" if parts.pre is None else f"{parts.pre[0]}{parts.pre[1]}")
    if operator in ("<=", ">=", "<", ">"):
        number = number.split("+")[0]
    return operator + number


ENVIRONMENTS = [
    {"python_version": "3.11", "python_full_version": "3.11.2", "os_name": "posix", "sys_platform": "linux", "platform_machine": "x86_64",
     "platform_python_implementation": "CPython", "platform_release": "6.1.0-18-amd64", "platform_system": "Linux",
     "platform_version": "#1 SMP Debian", "implementation_name": "cpython", "implementation_version": "3.11.2", "extra": ""},
    {"python_version": "3.9", "python_full_version": "3.9.0rc1", "os_name": "posix", "sys_platform": "linux", "platform_machine": "aarch64",
     "platform_python_implementation": "PyPy", "platform_release": "5.10", "platform_system": "Linux", "platform_version": "",
     "implementation_name": "pypy", "implementation_version": "7.3.16", "extra": "gpu"},
]
VALUES = {
    "python_version": ["3.9", "3.10", "3.11", "3.12", "3", "2.7"], "python_full_version": ["3.11.2", "3.9.0", "3.11.0rc1", "3.8.1"],
    "os_name": ["posix", "nt"], "sys_platform": ["linux", "win32", "darwin", "lin"], "platform_machine": ["x86_64", "aarch64", "arm64"],
    "platform_python_implementation": ["CPython", "PyPy"], "platform_system": ["Linux", "Windows"], "implementation_name": ["cpython", "pypy"],
    "implementation_version": ["3.11.2", "7.3"], "extra": ["gpu", "cpu", "GPU"],
}


# Not platform_release: a kernel is no version, and packaging calls every comparison with it false, also !=.
def comparison():
    name = pick(list(VALUES))
    value = pick(VALUES[name])
    if name == "extra":
        operator = pick(["==", "!="])
    elif "version" in name:
        operator = pick(["==", "!=", "<", "<=", ">", ">=", "~=", "in", "not in"])
        if operator == "~=" and "." not in value:
            operator = "=="
        if operator == "==" and chance.random() < 0.3:
            value = ".".join(value.split(".")[:1]) + ".*"
        if "in" in operator:
            value = pick(["3.9 3.10", "3.11, 3.12", value])
    else:
        operator = pick(["==", "!=", "in", "not in"])
    if "in" not in operator and chance.random() < 0.2 and operator in ("==", "!=") and not value.endswith("*"):
        return f'"{value}" {operator} {name}'
    return f'{name} {operator} "{value}"'


def marker(depth=0):
    if depth == 2 or chance.random() < 0.4:
        return comparison()
    parts = [marker(depth + 1) for _ in range(pick([2, 2, 3]))]
    text = f" {pick(['and', 'or'])} ".join(parts)
    return f"({text})" if depth else text


versions = sorted({version() for _ in range(260)})
pairs = [(a, b) for a, b in ((pick(versions), pick(versions)) for _ in range(400)) if a != b]
specifiers = [",".join(clause() for _ in range(pick([1, 1, 2, 3]))) for _ in range(300)]
checks = []
for specifier in specifiers:
    for candidate in [pick(versions) for _ in range(3)]:
        wanted = SpecifierSet(specifier)
        checks.append([specifier, candidate, wanted.contains(candidate, prereleases=True), wanted.contains(candidate, prereleases=bool(wanted.prereleases))])
markers = []
while len(markers) < 300:
    text = marker()
    try:
        markers.append([text, *[Marker(text).evaluate(environment) for environment in ENVIRONMENTS]])
    except Exception:
        pass
order = [[a, b, (Version(a) > Version(b)) - (Version(a) < Version(b))] for a, b in pairs]
path = pathlib.Path(__file__).with_name("oracle.json")
rows = {"normal": [[v, str(Version(v))] for v in versions], "order": order, "specifiers": checks, "markers": markers}
lines = [f' "packaging": {json.dumps(packaging.__version__)},', f' "environments": {json.dumps(ENVIRONMENTS)},']
lines += [f' "{name}": [\n' + ",\n".join("  " + json.dumps(row) for row in found) + "\n ]," for name, found in rows.items()]
path.write_text("{\n" + "\n".join(lines)[:-1] + "\n}\n")
