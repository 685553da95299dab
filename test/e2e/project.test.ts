// SPDX-License-Identifier: Apache-2.0
/* Projects without a Dockerfile, from the command line to a running container, with an index on this machine. */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { writeWheel } from "../support/made-wheel.ts";
import { addFakePython } from "../support/fake-python.ts";
import { openProgramWorld } from "../support/program.ts";
import { addPythonBase, whyNoIndex, whyNoPythonBase } from "../support/python-base.ts";
import { fetchTools } from "../support/python-tools.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import type { IndexPeer } from "../support/wheel-index.ts";

const reason = whyNoBusybox() ?? whyNoPythonBase() ?? whyNoIndex();
if (reason !== undefined) console.log(`skipped: projects: ${reason}`);

let world: ProgramWorld;
let other: ProgramWorld;
let index: IndexPeer;

/** Tiny distributions: `demo-a` needs `demo-b`. */
function demoWheels(): readonly string[] {
  const folder = join(world.folder, "demo-wheels");
  const module = (name: string, version: string): { readonly name: string; readonly content: string }[] => [
    { name: `${name}/__init__.py`, content: `VERSION = "${version}"\n` },
  ];
  return [
    writeWheel(folder, { name: "demo-a", version: "1.0", requires: ["demo-b"], files: module("demo_a", "1.0") }),
    writeWheel(folder, { name: "demo-a", version: "2.0", requires: ["demo-b"], files: module("demo_a", "2.0") }),
    writeWheel(folder, { name: "demo-b", version: "1.0", files: module("demo_b", "1.0") }),
    writeWheel(folder, { name: "uvicorn", version: "1.0", files: module("uvicorn", "1.0") }),
  ];
}

const APP = "import demo_a, demo_b\nprint('a', demo_a.VERSION, 'b', demo_b.VERSION)\n";

function build(from: ProgramWorld, folder: string, ...more: readonly string[]): Outcome {
  return from.tare(["build", "--progress", "plain", ...more, folder], { env: index.env });
}

/** Builds and gives the image's layers, lowest first. */
function layersOf(from: ProgramWorld, folder: string, name: string): readonly string[] {
  const built = build(from, folder, "-t", name);
  if (built.code !== 0) throw new Error(built.err);
  return JSON.parse(from.ok("inspect", "--format", "{{json .RootFS.Layers}}", name)) as readonly string[];
}

function run(name: string, ...words: readonly string[]): string {
  return world.ok("run", "--rm", name, ...words);
}

describe.skipIf(reason !== undefined)("a project without a Dockerfile", () => {
  beforeAll(async () => {
    world = openProgramWorld("project");
    other = openProgramWorld("project-other");
    addPythonBase(world);
    addPythonBase(other);
    index = await startIndex([...demoWheels(), ...fetchTools()]);
  });
  afterAll(async () => {
    await index.stop();
    world.close();
    other.close();
  });

  it("is built, told in five lines, and runs", () => {
    const folder = world.files("good", { "requirements.txt": "demo-a==1.0\n", "main.py": APP });
    const built = build(world, folder, "-t", "good");
    expect(built.err).toMatch(/python: +3\.11\.\d+ in python:3\.11-slim \(nothing asks for another\)/);
    expect(built.err).toMatch(/dependencies: requirements\.txt, resolved now; .*: 2 packages, \d+ kB/);
    expect(built.err).toContain("accelerator:  none needed");
    expect(built.err).toMatch(/layers: +1 of the base, 2 of packages, sources on top/);
    expect(built.err).toContain("command:      python main.py (main.py is there), as user app (1000)");
    expect(run("good")).toBe("a 1.0 b 1.0");
    expect(run("good", "id", "-un")).toBe("app");
    expect(run("good", "pip", "check")).toBe("No broken requirements found.");
    const decisions = JSON.parse(world.tare(["build", "--json", folder], { env: index.env }).out) as {
      readonly decisions: readonly { readonly name: string }[];
    };
    expect(decisions.decisions.map(({ name }) => name)).toEqual([
      "python",
      "dependencies",
      "accelerator",
      "layers",
      "command",
    ]);
  });

  it("is told without being built by plan and build --plan", () => {
    const folder = world.files("good", {});
    const plan = world.tare(["plan", folder], { env: index.env });
    expect(plan.out).toMatch(/^python: .*\ndependencies: .*\naccelerator: .*\nlayers: .*\ncommand: .*\n\n#1 \[1\//);
    expect(plan.err).toBe("");
    expect(world.tare(["build", "--plan", folder], { env: index.env }).out).toBe(plan.out);
    const json = JSON.parse(world.tare(["plan", "--json", folder], { env: index.env }).out) as object;
    expect(Object.keys(json)).toEqual(["decisions", "vertices"]);
  });

  it("gets one new layer for a changed pin, and one for a changed source", () => {
    const at = (pin: string, source = APP): string =>
      world.files("layers", { "requirements.txt": `demo-b\n${pin}\n`, "main.py": source });
    const first = layersOf(world, at("demo-a==1.0"), "layers");
    const pinned = layersOf(world, at("demo-a==2.0"), "layers");
    expect(pinned.filter((layer) => !first.includes(layer))).toHaveLength(1);
    expect(run("layers")).toBe("a 2.0 b 1.0");
    const edited = layersOf(world, at("demo-a==2.0", `${APP}print("more")\n`), "layers");
    expect(edited.filter((layer) => !pinned.includes(layer))).toEqual([edited.at(-1)]);
    expect(edited).toHaveLength(pinned.length);
  });

  it("is the same in another folder and another store, whatever the order of lines", () => {
    const files = { "main.py": APP };
    const one = world.files("same-1", { ...files, "requirements.txt": "demo-a==1.0\ndemo-b==1.0\n" });
    const two = other.files("same-2", { ...files, "requirements.txt": "demo-b==1.0\ndemo-a==1.0\n" });
    const id = build(world, one, "-q").out;
    expect(id).toMatch(/^sha256:/);
    expect(build(world, one, "-q", "--no-cache").out).toBe(id);
    expect(build(other, two, "-q").out).toBe(id);
  });

  it("is started by what serves it, or says what is missing", () => {
    const files = { "main.py": "from fastapi import FastAPI\napp = FastAPI()\n" };
    const folder = world.files("api", { ...files, "requirements.txt": "demo-b\n" });
    expect(build(world, folder).err).toContain(
      "command:      python main.py (main.py is there), as user app (1000); main.py makes a FastAPI application, but uvicorn is not among the dependencies",
    );
    world.files("api", { "requirements.txt": "uvicorn\n" });
    expect(build(world, folder, "-t", "api").err).toContain(
      "command:      uvicorn main:app --host 0.0.0.0 --port 8000 (main.py makes a FastAPI application)",
    );
    expect(world.ok("inspect", "--format", "{{json .Config.ExposedPorts}}", "api")).toBe('{"8000/tcp":{}}');
  });

  it("leaves secrets and rubbish out, and says so", () => {
    const folder = world.files("clean", {
      "main.py": "",
      ".env": "TOKEN=1",
      ".env.example": "TOKEN=",
      ".dockerignore": "notes.txt\n!.env\n",
      "notes.txt": "",
      "data/a.csv": "",
      "data/b.csv": "",
      ".git/HEAD": "",
      "__pycache__/main.cpython-311.pyc": "",
      "tare.toml": 'exclude = ["data"]\ninclude = ["data/a.csv"]\n',
      "requirements.txt": "demo-b\n",
    });
    const built = build(world, folder, "-t", "clean", "--build-arg", "X=1");
    expect(built.err).toMatch(/SecretsLeftOut: `\.env` is not put into the image/);
    expect(built.err).toMatch(/UnusedOption: --build-arg X means nothing here/);
    expect(run("clean", "sh", "-c", "find . -type f | sort").split("\n")).toEqual([
      "./.env.example",
      "./data/a.csv",
      "./main.py",
      "./tare.toml",
    ]);
  });

  it("can write to its home and its folder, whoever it is", () => {
    const folder = world.files("writes", { "main.py": "" });
    build(world, folder, "-t", "writes");
    const script = "touch $HOME/.cache-x /app/y && echo $HOME";
    expect(run("writes", "sh", "-c", script)).toBe("/home/app");
    expect(world.ok("run", "--rm", "--user", "4321", "writes", "sh", "-c", script)).toBe("/home/app");
  });

  it("is configured by [tool.tare] and its targets", () => {
    const folder = world.files("targets", {
      "main.py": "import os\nprint(os.environ['MODE'])\n",
      "tare.toml": '[env]\nMODE = "run"\n[targets.test]\ncommand = ["echo", "tests"]\n',
    });
    build(world, folder, "-t", "targets");
    expect(run("targets")).toBe("run");
    build(world, folder, "-t", "targets-test", "--target", "test");
    expect(run("targets-test")).toBe("tests");
    expect(build(world, folder, "--target", "tset").err).toMatch(
      /error\[E_CONFIG\].*`tset`\nhint: did you mean `test`/,
    );
  });

  const REFUSED: readonly (readonly [
    title: string,
    files: Readonly<Record<string, string>>,
    flags: readonly string[],
    error: RegExp,
  ])[] = [
    [
      "a typo in [tool.tare]",
      { "pyproject.toml": '[tool.tare]\ncomand = ["x"]\n' },
      [],
      /error\[E_CONFIG\]: reading \[tool\.tare\] of pyproject\.toml: unknown key `comand`\nhint: did you mean `command`/,
    ],
    [
      "broken requirements",
      { "requirements.txt": "demo-a\ndemo-b=1\n" },
      [],
      /error\[E_REQUIREMENTS\]:.*requirements\.txt.*\n(.*\n)*.*2/,
    ],
    ["a package that nobody has", { "requirements.txt": "no-such-package\n" }, [], /error\[E_RESOLVE_NOTFOUND\]:/],
    ["a secret", { "main.py": "" }, ["--secret", "id=x,env=HOME"], /error\[E_USAGE\]: --secret x:[^]*\nhint: .*netrc/],
    [
      "a file of the project as Dockerfile",
      { "pyproject.toml": "" },
      ["-f", "pyproject.toml"],
      /E_USAGE[^]*hint: leave out `-f`/,
    ],
    [
      "an empty folder",
      { "README.md": "" },
      [],
      /error\[E_DOCKERFILE_MISSING\].*\nhint: .*a Python project needs none/,
    ],
  ];

  it.each(REFUSED)("refuses %s", (title, files, flags, error) => {
    const folder = world.files(`refused-${title.replaceAll(/\W/g, "")}`, files);
    const refused = world.tare(["build", ...flags, folder], { env: index.env, cwd: folder });
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(error);
  });

  describe("that is a package", () => {
    const PYPROJECT = `[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "My-App"
version = "1.5"
dependencies = ["demo-b"]
[project.scripts]
my-app = "my_app:main"
`;
    const SOURCE = `import importlib.metadata, demo_b
def main():
    print(importlib.metadata.version("my-app"), demo_b.VERSION, __file__)
`;

    it("is used where it lies, with its programs and metadata", () => {
      const folder = world.files("package", { "pyproject.toml": PYPROJECT, "src/my_app/__init__.py": SOURCE });
      const built = build(world, folder, "-t", "package");
      expect(built.err).toContain("used where it lies: my-app");
      expect(built.err).toContain("command:      my-app (the project installs this program)");
      expect(run("package")).toBe("1.5 1.0 /app/src/my_app/__init__.py");
      expect(run("package", "pip", "list", "--editable")).toMatch(/My-App +1\.5 +\/app/);
      expect(run("package", "pip", "check")).toBe("No broken requirements found.");
      const before = layersOf(world, folder, "package");
      world.files("package", { "src/my_app/__init__.py": `${SOURCE}\n` });
      const after = layersOf(world, folder, "package");
      expect(after.filter((layer) => !before.includes(layer))).toHaveLength(1);
    });

    it("is built when a build tells more than its files", () => {
      const text = PYPROJECT.replace('version = "1.5"', 'dynamic = ["version"]');
      const folder = world.files("built-package", {
        "pyproject.toml": text,
        "setup.py": "from setuptools import setup\nsetup(version=str(6 * 7))\n",
        "src/my_app/__init__.py": SOURCE,
      });
      const built = build(world, folder, "-t", "built-package");
      expect(built.err).toContain("the project itself is built: its version is told by a build only");
      expect(run("built-package")).toMatch(/^42 1\.0 \/usr\/local\/.*-packages\/my_app\/__init__\.py$/);
    });

    it("is not installed when it says so", () => {
      const folder = world.files("no-package", {
        "pyproject.toml": `${PYPROJECT}[tool.tare]\npackage = false\n`,
        "main.py": "print('plain')\n",
      });
      const built = build(world, folder, "-t", "no-package");
      expect(built.err).not.toContain("used where it lies");
      expect(run("no-package")).toBe("plain");
    });
  });
});

describe.skipIf(reason !== undefined)("packages that come as sources", () => {
  let sdist = "";
  const PYPROJECT = `[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "demo-source"
version = "3.0"
dependencies = ["demo-b"]
`;
  beforeAll(async () => {
    world = openProgramWorld("sources");
    other = openProgramWorld("sources-other");
    addPythonBase(world);
    addPythonBase(other);
    const folder = world.files("sdist/demo_source-3.0", {
      "setup.py":
        'from setuptools import setup\nsetup(name="demo-source", version="3.0", py_modules=["demo_source"], install_requires=["demo-b"])\n',
      "demo_source.py": "import demo_b\nVALUE = 7\n",
      "PKG-INFO": "Metadata-Version: 2.1\nName: demo-source\nVersion: 3.0\n",
    });
    sdist = join(world.folder, "demo_source-3.0.tar.gz");
    execFileSync("tar", ["-C", join(folder, ".."), "-czf", sdist, "demo_source-3.0"]);
    index = await startIndex([...demoWheels(), ...fetchTools(), sdist]);
  });
  afterAll(async () => {
    await index.stop();
    world.close();
    other.close();
  });

  const MAIN = "import demo_source, demo_b\nprint(demo_source.VALUE)\n";

  it("are asked what they need and built once, whatever the project", () => {
    const folder = world.files("one", { "requirements.txt": "demo-source\n", "main.py": MAIN });
    const built = build(world, folder, "-t", "one");
    expect(built.err).toContain("ask sources what they need");
    expect(built.err).toContain("build a wheel of demo-source 3.0");
    expect(built.err).toContain("built here: demo-source");
    expect(run("one")).toBe("7");
    const second = world.files("two", { "requirements.txt": "demo-b\ndemo-source==3.0\n", "main.py": MAIN });
    const again = build(world, second, "-t", "two");
    expect(again.err).not.toContain("build a wheel of");
    expect(again.err).toContain("built here: demo-source");
    const [pip] = run("two", "pip", "list").match(/demo-source.*/) ?? [];
    expect(pip).toMatch(/demo-source +3\.0/);
  });

  it("are the same wheel in another store", () => {
    const folder = world.files("one", {});
    const id = build(world, folder, "-q").out;
    const copy = other.files("copy", { "requirements.txt": "demo-source\n", "main.py": MAIN });
    expect(build(other, copy, "-q").out).toBe(id);
  });

  it("are built with the user's credentials, which stay nowhere", async () => {
    const own = await startIndex([...demoWheels(), ...fetchTools(), sdist], { credentials: "me:s3cret-of-mine" });
    try {
      const files = { "requirements.txt": "demo-source\n", "main.py": MAIN };
      const folder = other.files("credentials", { ...files, "tare.toml": "build-packages = []\nlayers = 3\n" });
      other.ok("system", "prune", "-a", "-f");
      addPythonBase(other);
      const options = { env: { ...own.env, UV_NO_CACHE: "1" } };
      const built = other.tare(["build", "--progress", "plain", "--no-cache", "-t", "credentials", folder], options);
      expect(built).toMatchObject({ code: 0 });
      expect((await own.requests()).some((request) => request.includes("setuptools"))).toBe(true);
      const plan = other.tare(["plan", "--dockerfile", folder], options);
      expect(`${built.err}${plan.out}${plan.err}${other.ok("inspect", "credentials")}`).not.toContain("s3cret");
      const found = spawnSync("grep", ["-rlaF", "s3cret-of-mine", other.root], { encoding: "utf8" });
      expect(found.stdout).toBe("");
    } finally {
      await own.stop();
    }
  });

  it("may be a repository's, whose commit is written down", async () => {
    const repository = world.files("repository", {
      "lib/pyproject.toml": PYPROJECT,
      "lib/demo_source.py": "VALUE = 8\n",
    });
    const git = (...args: readonly string[]): string =>
      execFileSync("git", ["-C", repository, "-c", "user.name=t", "-c", "user.email=t@t", ...args])
        .toString()
        .trim();
    git("init", "-q", "-b", "main");
    git("add", ".");
    git("commit", "-qm", "first");
    const folder = world.files("vcs", {
      "requirements.txt": `demo-source @ git+file://${repository}@main#subdirectory=lib\n`,
      "main.py": `${MAIN}import importlib.metadata as m\nprint(m.distribution("demo-source").read_text("direct_url.json"))\n`,
    });
    const built = build(world, folder, "-t", "vcs");
    expect(built.err).toContain("built here: demo-source");
    const [value = "", direct = ""] = run("vcs").split("\n");
    expect(value).toBe("8");
    expect(JSON.parse(direct)).toEqual({
      url: `file://${repository}`,
      subdirectory: "lib",
      vcs_info: { vcs: "git", commit_id: git("rev-parse", "HEAD"), requested_revision: "main" },
    });
  });

  it("may lie in the project, and stay there when no build is needed", () => {
    const folder = world.files("local", {
      "requirements.txt": "./libs/demo\n-e ./libs/other\n",
      "main.py": "import demo_source, other\nprint(demo_source.VALUE, other.__file__)\n",
      "libs/demo/pyproject.toml": `${PYPROJECT}[tool.setuptools]\npy-modules = ["demo_source"]\n`,
      "libs/demo/demo_source.py": "VALUE = 9\n",
      "libs/other/pyproject.toml": PYPROJECT.replace("demo-source", "other"),
      "libs/other/src/other/__init__.py": "",
    });
    const built = build(world, folder, "-t", "local");
    expect(built.err).toContain("used where they lie: demo-source, other");
    expect(run("local")).toBe("9 /app/libs/other/src/other/__init__.py");
  });

  it("say what the compiler lacks", () => {
    const folder = world.files("compiled", {
      "requirements.txt": "./compiled\n",
      "compiled/pyproject.toml": `${PYPROJECT}[tool.setuptools]\next-modules = [{name = "x", sources = ["x.c"]}]\npackages = []\n`,
      "compiled/x.c": "int x;\n",
    });
    const built = build(world, folder);
    expect(built.code).toBe(1);
    expect(built.err).toMatch(
      /error\[E_BUILD_WHEEL\]: building a wheel of demo-source.*: there is no C compiler\nhint: set `build-packages = \["build-essential", "python3-dev"\]` in \[tool\.tare\]/,
    );
  });

  it("come from locks too, and only with the digest that stands there", () => {
    const hash = (digest: string): string => `lock-version = "1.0"
created-by = "test"
[[packages]]
name = "demo-b"
version = "1.0"
wheels = [{ url = "${new URL(`/files/demo_b-1.0-py3-none-any.whl`, index.url).href}", hashes = { sha256 = "${sha256(join(demoWheels()[2] ?? ""))}" } }]
[[packages]]
name = "demo-source"
version = "3.0"
sdist = { url = "${new URL(`/files/demo_source-3.0.tar.gz`, index.url).href}", hashes = { sha256 = "${digest}" } }
`;
    const folder = world.files("locked", { "pylock.toml": hash(sha256(sdist)), "main.py": MAIN });
    const built = build(world, folder, "-t", "locked");
    expect(built.err).toContain("dependencies: pylock.toml: 2 packages");
    expect(run("locked")).toBe("7");
    world.files("locked", { "pylock.toml": hash("0".repeat(64)) });
    expect(build(world, folder).err).toMatch(/error\[E_DIGEST_MISMATCH\]/);
  });
});

describe.skipIf(reason !== undefined)("a project for several platforms", () => {
  beforeAll(async () => {
    world = openProgramWorld("platforms");
    index = await startIndex([...demoWheels(), ...fetchTools()]);
    addFakePython(world);
  });
  afterAll(async () => {
    await index.stop();
    world.close();
  });

  it("is an index of images, each with the wheels of its own", () => {
    const platforms = ["--platform", "linux/amd64,linux/arm64"];
    world.ok("build", "-q", "-t", "pybase", ...platforms, join(world.folder, "pybase"));
    const folder = world.files("several", {
      "requirements.txt": "demo-a\n",
      "main.py": "",
      "tare.toml": 'base = "pybase"\n',
    });
    // The base's Python is a dummy that nothing here may run, whoever could.
    const built = build(world, folder, "-t", "several", "--bytecode", "none", ...platforms);
    expect(built.err).toContain("[linux/arm64 ");
    const architectures = ["linux/amd64", "linux/arm64"].map((platform) =>
      world.ok("inspect", "--type", "image", "--platform", platform, "--format", "{{.Architecture}}", "several"),
    );
    expect(architectures).toEqual(["amd64", "arm64"]);
    const foreign = process.arch === "arm64" ? "linux/amd64" : "linux/arm64";
    expect(build(world, folder, "--platform", foreign)).toMatchObject({ code: 0 });
    const packages = world.files("packages", { "main.py": "", "tare.toml": 'base = "pybase"\npackages = ["curl"]\n' });
    expect(build(world, packages, "--platform", foreign).err).toMatch(/error\[E_PLATFORM\].*RUN for linux/);
    const refused = world.tare(["plan", "--dockerfile", ...platforms, folder], { env: index.env });
    expect(refused.err).toMatch(/error\[E_USAGE\].*several are asked for/);
  });
});

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
