// SPDX-License-Identifier: Apache-2.0
/* `tare lock` with the real uv and an index of tiny wheels in this process: no base, no root, no network. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addFakePython } from "../support/fake-python.ts";
import { startPackageIndex } from "../support/package-index.ts";
import type { PackageIndex } from "../support/package-index.ts";
import { openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { indexEnvironment, uvProgram, whyNoUv } from "../support/uv.ts";

const reason = whyNoUv();
if (reason !== undefined) console.log(`skipped: tare lock: ${reason}`);

let world: ProgramWorld;
let index: PackageIndex;
let env: Record<string, string>;
let project = "";
let count = 0;

function addPackages({ add }: PackageIndex): void {
  for (const version of ["1.19.5", "1.26.4", "2.3.4", "2.3.5"]) add("numpy", version);
  for (const version of ["2.1.4", "2.2.3"]) add("pandas", version, { requires: ["numpy>=1.23.2", "tzdata"] });
  add("tzdata", "2026.1");
  add("alpha", "1.0", { requires: ["common<2"], extras: ["fast"] });
  add("beta", "1.0", { requires: ["common>=2"] });
  add("common", "1.5");
  add("common", "2.1");
  add("modern", "3.0", { requiresPython: ">=3.12" });
  add("gone", "1.0", { yanked: "broken" });
  add("windows-only", "1.0", { tag: "cp311-cp311-win_amd64" });
  add("unmeasured", "1.0", { isBare: true });
  add("linux-only", "1.0", { requires: ['tzdata; sys_platform == "linux"', 'common; sys_platform == "win32"'] });
}

async function tare(...args: readonly string[]): Promise<Outcome> {
  return world.tareAsync(args, { cwd: project, env });
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(project, name), text);
}

function lockText(name = "pylock.toml"): string {
  return fs.readFileSync(join(project, name), "utf8");
}

describe.skipIf(reason !== undefined)("tare lock", () => {
  beforeAll(async () => {
    world = openProgramWorld("lock");
    index = await startPackageIndex();
    addPackages(index);
    env = indexEnvironment(await uvProgram(), world.folder, index.url);
  });
  afterAll(async () => {
    await index.close();
    world.close();
  });
  beforeEach(() => {
    count += 1;
    project = world.files(`project-${count}`, {});
  });

  it("writes a lock with digests, sizes and addresses, for a Python that is not here", async () => {
    write({ "requirements.txt": "pandas>=2.2  # tables\n" });
    const { code, out, err } = await tare("lock", "--platform", "linux/amd64");
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toMatch(
      /^\+ numpy 2\.3\.5\n\+ pandas 2\.2\.3\n\+ tzdata 2026\.1\npylock\.toml: written: 3 packages, [\d.]+kB; for Python 3\.11\.0 \(as in python:3\.11-slim\) on linux\/amd64\n$/,
    );
    const text = lockText();
    expect(text).toContain('lock-version = "1.0"\ncreated-by = "tare"\nenvironments = ["python_version == \'3.11\'');
    expect(text).toMatch(
      /url = "http:\/\/127\.0\.0\.1:\d+\/files\/numpy-2\.3\.5-py3-none-any\.whl", size = \d+, hashes = \{ sha256 = "[0-9a-f]{64}" \}/,
    );
    expect(text).toMatch(
      /\[tool\.tare\]\ninputs = "sha256:[0-9a-f]{64}"\nfiles = \["requirements\.txt"\]\npython = "3\.11\.0"\nplatform = "linux\/amd64"\nlibc = "glibc 2\.36"\nresolver = "uv [\d.]+"\n$/,
    );
    expect(text).not.toContain(world.folder);
    expect(fs.readdirSync(project).toSorted()).toEqual(["pylock.toml", "requirements.txt"]);
  });

  it("keeps versions that fit, and moves those that are asked for", async () => {
    write({ "requirements.txt": "pandas\nnumpy==2.3.4\n" });
    await tare("lock");
    write({ "requirements.txt": "pandas\nnumpy\n" });
    const before = lockText();
    const kept = await tare("lock");
    expect(kept.out).toMatch(/^pylock\.toml: written again, nothing changed: 3 packages/);
    expect(lockText().split("[tool.tare]")[0]).toBe(before.split("[tool.tare]")[0]);
    expect((await tare("lock", "--upgrade", "numpy")).out).toMatch(
      /^~ numpy 2\.3\.4 -> 2\.3\.5\npylock\.toml: written/,
    );
    expect((await tare("lock", "--upgrade")).out).toMatch(/^pylock\.toml: up to date/);
    const typing = await tare("lock", "--upgrade", "nunpy");
    expect(typing.code).not.toBe(0);
    expect(typing.err).toContain("did you mean `numpy`");
  });

  it("asks no index when nothing changed, whatever the time stamps say", async () => {
    write({ "requirements.txt": "numpy\n" });
    await tare("lock");
    const asked = index.requests.length;
    const text = lockText();
    write({ "requirements.txt": "# a remark\n\nnumpy\n" });
    expect((await tare("lock")).out).toMatch(/^pylock\.toml: up to date: 1 package,/);
    expect((await tare("lock", "--check")).code).toBe(0);
    expect(index.requests.length).toBe(asked);
    expect(lockText()).toBe(text);
  });

  it("tells with --check what does not fit any more, and writes nothing", async () => {
    write({ "requirements.txt": "numpy<2\n" });
    expect((await tare("lock", "--check")).err).toContain("error[E_LOCK]: checking `pylock.toml`: there is none");
    await tare("lock");
    const text = lockText();
    write({ "requirements.txt": "numpy>=2\n" });
    const broken = await tare("lock", "--check");
    expect(broken.code).toBe(1);
    expect(broken.err).toContain(
      "error[E_LOCK_STALE]: checking pylock.toml: it does not satisfy requirements.txt any more\n  `numpy>=2` is asked for, it has 1.26.4\nhint: run `tare lock`\n",
    );
    write({ "requirements.txt": "numpy<2\npandas\n" });
    expect((await tare("lock", "--check")).err).toContain("`pandas` is asked for, and not in it");
    write({ "requirements.txt": "numpy<2\nnumpy<1.20\n" });
    const other = await tare("lock", "--check", "--json");
    expect(other.code).toBe(1);
    expect(JSON.parse(other.out)).toMatchObject({ isCurrent: false, isWritten: false });
    write({ "requirements.txt": "numpy<2.0\n" });
    expect((await tare("lock", "--check")).code).toBe(0);
    expect(lockText()).toBe(text);
  });

  it("explains a conflict, with a change that was tried", async () => {
    write({ "requirements.txt": "numpy<1.20\npandas>=2.2\n" });
    const own = await tare("lock");
    expect(own.code).toBe(1);
    expect(own.err).toContain(
      "error[E_RESOLVE]: resolving: `numpy<1.20` and `pandas>=2.2` can't be had together: `pandas>=2.2.3` needs `numpy>=1.23.2`\nhint: smallest change that works (tried): `numpy==2.3.5` instead of `numpy<1.20`\n",
    );
    write({ "requirements.txt": "alpha\nbeta\n" });
    expect((await tare("lock")).err).toContain(
      "`alpha` and `beta` can't be had together: every version of `beta` needs `common>=2`; every version of `alpha` needs `common<2`",
    );
    write({ "requirements.txt": "numpy==99\n" });
    expect((await tare("lock")).err).toContain(
      "there is no `numpy==99`\nhint: smallest change that works (tried): `numpy==2.3.5` instead of `numpy==99`\n",
    );
    expect(fs.existsSync(join(project, "pylock.toml"))).toBe(false);
  });

  it("takes Python, extras and groups of pyproject.toml, and remembers what it was made for", async () => {
    const pyproject = `[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.12"\ndependencies = ["modern"]\n
[project.optional-dependencies]\nviz = ["tzdata"]\n[dependency-groups]\ndev = ["common<2"]\n`;
    write({ "pyproject.toml": pyproject });
    const first = await tare("lock", "--extra", "viz", "--group", "dev", "--python", "3.12", "--json");
    expect(JSON.parse(first.out)).toMatchObject({ python: "3.12.0", isWritten: true, inputs: ["pyproject.toml"] });
    expect(lockText()).toMatch(/^extras = \["viz"\]\ngroups = \["dev"\]\npython = "3\.12\.0"$/m);
    write({ "pyproject.toml": `${pyproject}[tool.ruff]\nline-length = 100\n` });
    expect((await tare("lock")).out).toMatch(/^pylock\.toml: up to date: 3 packages, .* Python 3\.12\.0/);
    write({ "pyproject.toml": pyproject.replace("common<2", "common") });
    expect((await tare("lock", "--check")).code).toBe(0);
    const unknown = await tare("lock", "--extra", "nope");
    expect(unknown.err).toContain("pyproject.toml has no extra `nope`");
    const tooOld = await tare("lock", "--python", "3.11");
    expect(tooOld.err).toMatch(
      /needs Python >=3\.12, the target has 3\.11\nhint: smallest change that works \(tried\): Python 3\.12 \(`--python 3\.12`/,
    );
  });

  it("writes a lock of another name, and a universal one", async () => {
    write({ "requirements.txt": "linux-only\n" });
    const named = await tare("lock", "-o", "pylock.cpu.toml", "--universal");
    expect(named.out).toContain("pylock.cpu.toml: written: 2 packages");
    expect(named.out).toContain("for every platform, Python 3.11.0 or newer");
    expect(lockText("pylock.cpu.toml")).toMatch(
      /name = "common"\nversion = "2\.1"\nmarker = "sys_platform == 'win32'"/,
    );
    expect(lockText("pylock.cpu.toml")).not.toContain("environments");
    expect((await tare("lock", "-o", "mine.toml")).err).toContain("a lock is named pylock.toml or pylock.NAME.toml");
  });

  it("says that the network is switched off", async () => {
    write({ "requirements.txt": "common\n" });
    const { err } = await world.tareAsync(["lock"], {
      cwd: project,
      env: { ...env, TARE_OFFLINE: "1", TARE_ROOT: join(project, "root") },
    });
    expect(err).toContain(
      "resolving: `common` is not in the cache, and the network is switched off\nhint: unset TARE_OFFLINE",
    );
  });

  it("writes anew over a lock that can't be read, and says so", async () => {
    write({ "requirements.txt": "numpy\n", "pylock.toml": "<<<<<<< ours\n" });
    expect((await tare("lock", "--check")).err).toContain("error[E_LOCK]: reading `pylock.toml`");
    const { code, out } = await tare("lock");
    expect(code).toBe(0);
    expect(out).toMatch(/^warning: reading `pylock\.toml`: .*: all versions are chosen anew\n\+ numpy 2\.3\.5\n/);
  });

  it("keeps the versions of uv's own lock", async () => {
    write({
      "pyproject.toml":
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["numpy"]\n',
    });
    const source = `source = { registry = "${index.url}" }`;
    const numpy = `[[package]]\nname = "numpy"\nversion = "1.26.4"\n${source}\n`;
    const app =
      '[[package]]\nname = "app"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "numpy" }]\n';
    write({ "uv.lock": `version = 1\nrequires-python = ">=3.11"\n\n${numpy}\n${app}` });
    expect((await tare("lock")).out).toContain("+ numpy 1.26.4\n");
  });

  it("takes versions and hashes of Poetry's lock, with the index that it names", async () => {
    await tare("lock", world.files(`hash-${count}`, { "requirements.txt": "tzdata\n" }));
    const text = fs.readFileSync(join(world.folder, `hash-${count}`, "pylock.toml"), "utf8");
    const [, hash = ""] = /sha256 = "([0-9a-f]{64})"/.exec(text) ?? [];
    const poetry = (sum: string): string =>
      `[[package]]\nname = "tzdata"\nversion = "2026.1"\noptional = false\ngroups = ["main"]\nfiles = [{file = "t.whl", hash = "sha256:${sum}"}]\n`;
    write({ "pyproject.toml": '[tool.poetry]\nname = "app"\nversion = "1"\n', "poetry.lock": poetry(hash) });
    expect((await tare("lock")).out).toContain("+ tzdata 2026.1\npylock.toml: written: 1 package");
    write({ "poetry.lock": poetry("0".repeat(64)) });
    expect((await tare("lock")).err).toContain(
      "no file of `tzdata 2026.1` on the index has a sha256 that the requirements name",
    );
  });

  it("asks the server for a size that the index does not tell", async () => {
    write({ "requirements.txt": "unmeasured\n" });
    await tare("lock");
    expect(index.requests).toContain("HEAD /files/unmeasured-1.0-py3-none-any.whl");
    expect(lockText()).toMatch(
      /unmeasured-1\.0-py3-none-any\.whl", size = \d+, hashes = \{ sha256 = "[0-9a-f]{64}" \}/,
    );
  });

  it("warns of an extra that a package has not", async () => {
    write({ "requirements.txt": "alpha[slow]\n" });
    const warning = "The package `alpha==1.0` does not have an extra named `slow`";
    expect((await tare("lock")).out).toContain(`warning: ${warning}`);
    addFakePython(world);
    fs.rmSync(join(project, "pylock.toml"));
    write({ "tare.toml": 'base = "pybase"\n', "main.py": "" });
    expect((await tare("build", "--progress", "plain", "--bytecode", "none", ".")).err).toContain(warning);
  });

  it("holds files to the hashes of the requirements, as pip does", async () => {
    write({ "requirements.txt": "tzdata==2026.1\n" });
    await tare("lock");
    const [, hash = ""] = /sha256 = "([0-9a-f]{64})"/.exec(lockText()) ?? [];
    write({ "requirements.txt": `tzdata==2026.1 --hash=sha256:${hash}\n` });
    expect((await tare("lock", "--upgrade")).code).toBe(0);
    expect(lockText()).toContain(hash);
    write({ "requirements.txt": `tzdata==2026.1 --hash=sha256:${"0".repeat(64)}\n` });
    const other = await tare("lock");
    expect(other.err).toContain(
      "error[E_LOCK_HASH]: resolving: no file of `tzdata 2026.1` on the index has a sha256 that",
    );
    write({ "requirements.txt": `pandas==2.2.3 --hash=sha256:${"1".repeat(64)}\ntzdata\nnumpy\n` });
    expect((await tare("lock")).err).toContain("`numpy` is needed, and the requirements give no hash for it");
  });

  it("takes wheels of a folder, by their relative paths", async () => {
    addFakePython(world);
    await tare("lock", world.files(`wheel-${count}`, { "requirements.txt": "tzdata\n" }));
    const answer = await fetch(`${index.origin}/files/tzdata-2026.1-py3-none-any.whl`);
    fs.mkdirSync(join(project, "wheels"));
    fs.writeFileSync(join(project, "wheels/tzdata-2026.1-py3-none-any.whl"), Buffer.from(await answer.arrayBuffer()));
    write({ "requirements.txt": "--no-index\n--find-links ./wheels\ntzdata\n", "tare.toml": 'base = "pybase"\n' });
    expect((await tare("lock")).out).toContain("+ tzdata 2026.1\n");
    expect(lockText()).toContain('path = "wheels/tzdata-2026.1-py3-none-any.whl"');
    expect(lockText()).not.toContain(world.folder);
    const moved = join(world.folder, `moved-${count}`);
    fs.renameSync(project, moved);
    project = moved;
    expect((await tare("lock", "--check")).code).toBe(0);
    expect(await tare("build", "-q", "--bytecode", "none", ".")).toMatchObject({ code: 0 });
  });

  it("pins a repository to its commit, and a folder of the project by its path", async () => {
    const pyproject = (name: string): string =>
      `[project]\nname = "${name}"\nversion = "1"\ndependencies = ["tzdata"]\n`;
    const repository = world.files(`repository-${count}`, { "pyproject.toml": pyproject("lib") });
    const git = (...args: readonly string[]): string =>
      spawnSync("git", ["-C", repository, "-c", "user.name=a", "-c", "user.email=a@b", ...args], { encoding: "utf8" })
        .stdout;
    git("init", "-q", "-b", "main");
    git("add", ".");
    git("commit", "-q", "-m", "first");
    fs.mkdirSync(join(project, "part"));
    write({
      "part/pyproject.toml": pyproject("part"),
      "requirements.txt": `lib @ git+file://${repository}@main\n-e ./part\n`,
    });
    const { code, err } = await tare("lock");
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(lockText()).toContain(`commit-id = "${git("rev-parse", "HEAD").trim()}"`);
    expect(lockText()).toMatch(/directory = \{ path = "part", editable = true \}/);
    expect(lockText()).toContain('name = "tzdata"');
    write({ "part/pyproject.toml": pyproject("part").replace('"tzdata"', '"tzdata", "numpy"') });
    expect((await tare("lock", "--check")).err).toContain("`tare lock` would change:\n  + numpy 2.3.5\n");
  });

  it("is used by a build instead of the requirements, which says when they went on", async () => {
    addFakePython(world);
    const tool = '[tool.tare]\nbase = "pybase"\n';
    write({ "requirements.txt": "numpy<2\n", "pyproject.toml": tool, "main.py": "import numpy\n" });
    const locked = await tare("lock");
    expect(locked.out).toContain("for Python 3.11.9 (of pybase)");
    const fresh = await tare("build", "--progress", "plain", "--bytecode", "none", "-t", "app", ".");
    expect(fresh.code).toBe(0);
    expect(fresh.err).toContain("pylock.toml: 1 package");
    expect(fresh.err).not.toContain("not up to date");
    write({ "requirements.txt": "numpy>=2\n" });
    const stale = await tare("build", "--progress", "plain", "--bytecode", "none", "-t", "app", ".");
    expect(stale.code).toBe(0);
    expect(stale.err).toContain(
      "pylock.toml is not up to date: it is older than requirements.txt; `tare lock` makes it anew",
    );
    expect(stale.err).toContain("numpy 1.26.4");
    write({ "pyproject.toml": `${tool}extras = ["viz"]\n` });
    expect((await tare("build", "--bytecode", "none", ".")).err).toContain("it was made without extra `viz`");
  });
});
