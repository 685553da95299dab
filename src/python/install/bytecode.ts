// SPDX-License-Identifier: Apache-2.0
/*
 * `.pyc` files, made by the interpreter of the image (or one of the same version): unchecked and by hash of the source
 * (PEP 552), so that they depend on no time. Equal sources and interpreters give equal bytes: each distribution is
 * compiled in a process of its own, in the order of names, with a fixed hash seed (until Python 3.10 it decides the
 * order of sets), and while a module is written every object in it is held, so that marshal's notes of what is shared
 * do not depend on what else the process has seen.
 */

/**
 * Arguments: policy, workers, and a folder. Jobs are files `jobs/N.json` in it, taken as they come, the lowest number
 * first: the distribution's wheel, the pack to write, and its modules by name, each with its path in the image and its
 * entry in the wheel. `done N` or `failed N` says on standard output what became of one; before the latter comes `error N why`. Ends
 * when there is a file `end` and nothing left to do. Only wheels are read, only packs are written.
 */
export const COMPILE_PY = `import os, sys

def main():
    arguments = sys.argv[1:]
    if arguments[0] != "--seeded":
        # -I ignores the seed: the environment has nothing else in it.
        environment = {"PYTHONHASHSEED": "0", "PATH": os.environ.get("PATH", "")}
        os.execve(sys.executable, [sys.executable, "-s", "-S", "-B", __file__, "--seeded"] + arguments, environment)
    if sys.flags.hash_randomization:
        sys.exit("the hash seed is not fixed")
    serve(arguments[1], int(arguments[2]), arguments[3])

def serve(policy, workers, folder):
    import importlib._bootstrap_external, json, marshal, opcode, time, zipfile
    jobs, taken, running = os.path.join(folder, "jobs"), set(), {}
    while True:
        is_end = os.path.exists(os.path.join(folder, "end"))
        waiting = sorted(int(name[:-5]) for name in os.listdir(jobs) if name.endswith(".json") and name not in taken)
        for number in waiting[:workers - len(running)]:
            name = "%d.json" % number
            taken.add(name)
            running[start(policy, os.path.join(jobs, name), number)] = number
        if is_end and not running and not waiting:
            return
        pid, status = os.waitpid(-1, 0 if len(running) >= workers else os.WNOHANG) if running else (0, 0)
        if pid in running:
            os.write(1, b"%s %d\\n" % (b"failed" if status else b"done", running.pop(pid)))
        else:
            time.sleep(0.004)

def start(policy, path, number):
    pid = os.fork()
    if pid:
        return pid
    try:
        one(policy, path)
        os._exit(0)
    except BaseException as error:
        why = ("%s: %s" % (type(error).__name__, error)).encode("utf-8", "replace")
        os.write(1, b"error %d %s\\n" % (number, b" ".join(why.split())[:2000]))
    os._exit(1)

def one(policy, path):
    import json, zipfile
    with open(path, encoding="utf-8") as file:
        job = json.load(file)
    with zipfile.ZipFile(job["wheel"]) as wheel, zipfile.ZipFile(job["out"], "w") as pack:
        compile_modules(policy, job["modules"], wheel, pack)

def compile_modules(policy, modules, wheel, pack):
    import importlib._bootstrap_external as external
    import _imp, marshal, zipfile
    tag = sys.implementation.cache_tag

    def compile_module(name):
        path, entry = modules[name]
        try:
            source = wheel.read(entry)
        except NotImplementedError:
            return None
        try:
            code = compile(source, "/" + path, "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
            return None
        held = []
        hold(code, held)
        data = bytearray(external.MAGIC_NUMBER)
        data += (1).to_bytes(4, "little") + _imp.source_hash(external._RAW_MAGIC_NUMBER, source) + marshal.dumps(code)
        folder, _, leaf = path.rpartition("/")
        target = folder + "/__pycache__/" + leaf[:-3] + "." + tag + ".pyc"
        pack.writestr(zipfile.ZipInfo(target), bytes(data))
        return code

    if policy == "all":
        for name in sorted(modules):
            compile_module(name)
        return
    waiting = roots({name: path for name, (path, _) in modules.items()})
    seen = set(waiting)
    while waiting:
        name = waiting.pop()
        code = compile_module(name)
        if code is None:
            continue
        is_package = modules[name][0].endswith("__init__.py")
        for wanted in imports(code, name if is_package else name.rpartition(".")[0]):
            while wanted:
                if wanted in modules and wanted not in seen:
                    seen.add(wanted)
                    waiting.append(wanted)
                wanted = wanted.rpartition(".")[0]

def hold(value, held):
    held.append(value)
    if isinstance(value, (tuple, frozenset)):
        for item in value:
            hold(item, held)
    elif hasattr(value, "co_code"):
        for name in ("co_consts", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_filename", "co_name",
                     "co_qualname", "co_linetable", "co_exceptiontable", "co_lnotab" if sys.version_info < (3, 10) else ""):
            if name and hasattr(value, name):
                hold(getattr(value, name), held)

HIDDEN = {"tests", "test", "testing", "conftest", "benchmarks", "_vendor", "docs", "examples"}

def roots(modules):
    packages = {name for name, path in modules.items() if path.endswith("__init__.py")}
    found = []
    for name in sorted(modules, reverse=True):
        parts = name.split(".")
        if HIDDEN.intersection(parts) or any(part.startswith("_") for part in parts[1:]):
            continue
        above = [".".join(parts[:end]) for end in range(1, len(parts))]
        regular = [package for package in above if package in packages]
        if not regular or (len(regular) == 1 and regular[0] == above[-1] and name in packages):
            found.append(name)
    return found

def imports(code, package):
    import opcode
    import_name, import_from = opcode.opmap["IMPORT_NAME"], opcode.opmap["IMPORT_FROM"]
    load_const, small = opcode.opmap["LOAD_CONST"], opcode.opmap.get("LOAD_SMALL_INT", -1)
    raw, extended, constants = code.co_code, 0, []
    for at in range(0, len(raw), 2):
        op, arg = raw[at], raw[at + 1] | extended
        extended = arg << 8 if op == opcode.EXTENDED_ARG else 0
        if op == load_const:
            constants.append(code.co_consts[arg])
        elif op == small:
            constants.append(arg)
        elif op == import_name and len(constants) >= 2:
            level, names = constants[-2], constants[-1]
            index = arg >> 2 if sys.version_info >= (3, 15) else arg
            name = code.co_names[index] if index < len(code.co_names) else ""
            if level:
                parts = package.split(".")
                above = ".".join(parts[:len(parts) - level + 1])
                name = above + "." + name if name else above
            yield name
            for item in names or ():
                yield name + "." + item
    for constant in code.co_consts:
        if hasattr(constant, "co_code") and not constant.co_flags & 1:
            yield from imports(constant, package)

os.umask(0o022)
main()
`;
