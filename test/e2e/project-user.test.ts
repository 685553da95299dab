// SPDX-License-Identifier: Apache-2.0
/*
 * A project of wheels needs neither root nor a container runtime, and no system call that only Linux has. macOS is
 * simulated as far as that goes: the program is told that it runs there, and its FFI can't be loaded.
 */
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeWheel } from "../support/made-wheel.ts";
import { PROGRAM, openProgramWorld } from "../support/program.ts";
import { addPythonBase, whyNoIndex, whyNoPythonBase } from "../support/python-base.ts";
import { fetchTools } from "../support/python-tools.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import type { IndexPeer } from "../support/wheel-index.ts";

const USER = 1000;
const SETPRIV = spawnSync("sh", ["-c", "command -v setpriv"], { encoding: "utf8" }).stdout.trim();
const canBecome =
  SETPRIV !== "" && spawnSync(SETPRIV, ["--reuid", String(USER), "--clear-groups", PROGRAM, "--version"]).status === 0;
const reason =
  whyNoPythonBase() ?? whyNoIndex() ?? (canBecome ? undefined : "setpriv can't start the program as a user");
if (reason !== undefined) console.log(`skipped: projects of an ordinary user: ${reason}`);

const MAC = `Object.defineProperty(process, "platform", { value: "darwin" });
const Module = require("node:module");
const load = Module._load;
Module._load = function (name, ...rest) {
  if (/koffi/.test(name)) throw new Error("no FFI here");
  return load.call(this, name, ...rest);
};
`;

let folder = "";
let root: ProgramWorld;
let index: IndexPeer;

/** Who is in a changed root gets no user namespace (user_namespaces(7)), so containers are out of reach. */
const REFUSED = '/usr/bin/mount --rbind / "$1" && exec /usr/sbin/chroot "$@"';

/** Runs the program as an ordinary user without namespaces whose PATH has what a shell needs and nothing else. */
function asUser(args: readonly string[], env: Readonly<Record<string, string>> = {}): Outcome {
  const own = { ...index.env, HOME: folder, PATH: join(folder, "bin"), TARE_ROOT: join(folder, "store"), ...env };
  const ids = ["--reuid", String(USER), "--regid", String(USER), "--clear-groups"];
  const options = { env: own, maxBuffer: 1 << 28, encoding: "utf8" } as const;
  const program = ["/usr/bin/env", "--chdir", join(folder, "app"), SETPRIV, ...ids, PROGRAM, ...args];
  const words = ["--mount", "sh", "-c", REFUSED, "sh", join(folder, "host"), ...program];
  const child = spawnSync("/usr/bin/unshare", words, options);
  return { code: child.status ?? 128, out: child.stdout, err: child.stderr };
}

function build(...more: readonly string[]): readonly string[] {
  return ["build", "--progress", "plain", ...more, join(folder, "app")];
}

/** A PATH of its own: no root's programs, no runtime, no Python. */
function makePath(): void {
  fs.mkdirSync(join(folder, "bin"));
  fs.mkdirSync(join(folder, "host"));
  for (const name of ["sh", "readlink", "cat"]) {
    const [path = ""] = execFileSync("sh", ["-c", `command -v ${name}`])
      .toString()
      .split("\n");
    fs.symlinkSync(path, join(folder, "bin", name));
  }
}

describe.skipIf(reason !== undefined)("a project of wheels as an ordinary user", () => {
  beforeAll(async () => {
    folder = fs.mkdtempSync(join(tmpdir(), "tare-user-"));
    root = openProgramWorld("user-root");
    addPythonBase(root);
    root.ok("save", "-o", join(folder, "base.tar"), "python:3.11-slim");
    const wheels = join(folder, "wheels");
    const files = [{ name: "demo/__init__.py", content: "VALUE = 1\n" }];
    const entryPoints = "[console_scripts]\ndemo = demo:main\n";
    index = await startIndex([writeWheel(wheels, { name: "demo", files, entryPoints }), ...fetchTools()]);
    fs.mkdirSync(join(folder, "app"));
    fs.writeFileSync(join(folder, "app/requirements.txt"), "demo\n");
    fs.writeFileSync(join(folder, "app/main.py"), "import demo\nprint(demo.VALUE)\n");
    fs.writeFileSync(join(folder, "mac.cjs"), MAC);
    makePath();
    execFileSync("chown", ["-R", `${USER}:${USER}`, folder]);
    expect(asUser(["load", "-q", "-i", join(folder, "base.tar")])).toMatchObject({ code: 0 });
  });
  afterAll(async () => {
    await index.stop();
    root.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  it("is built without a runtime, the same as by root", () => {
    const mine = asUser(build("-q", "--bytecode", "none"));
    expect(mine).toMatchObject({ code: 0, err: "" });
    const roots = root.tare(build("-q", "--bytecode", "none"), { env: index.env });
    expect(mine.out).toBe(roots.out);
  });

  it("says that modules stay uncompiled when no Python of the version is here", () => {
    const built = asUser(build("-t", "app"));
    expect(built.code).toBe(0);
    expect(built.err).toMatch(/NoBytecode: no root and no Python 3\.11 here to compile with/);
  });

  it("says that sources can't be built, and what to do", () => {
    fs.writeFileSync(join(folder, "app/requirements.txt"), "demo\n./ext\n");
    fs.mkdirSync(join(folder, "app/ext"));
    fs.writeFileSync(
      join(folder, "app/ext/pyproject.toml"),
      '[project]\nname = "ext"\nversion = "1"\n[build-system]\nrequires = ["maturin"]\nbuild-backend = "maturin"\n',
    );
    const built = asUser(build());
    fs.rmSync(join(folder, "app/ext"), { recursive: true });
    fs.writeFileSync(join(folder, "app/requirements.txt"), "demo\n");
    expect(built.code).toBe(1);
    expect(built.err).toMatch(
      /error\[E_BUILD_WHEEL\]: building a wheel of ext: it comes as sources, which are built in a container, and containers of builds need root\nhint: .*`tare wheels pull`/,
    );
  });

  it("is built where Linux's own system calls are not to be had", () => {
    const uv = fs.globSync(join(folder, "store/**/uv-*/uv"))[0] ?? "";
    const env = { NODE_OPTIONS: `--require=${join(folder, "mac.cjs")}`, TARE_UV: uv };
    const before = asUser(build("-q", "--bytecode", "none"));
    fs.appendFileSync(join(folder, "app/main.py"), "print('more')\n");
    const built = asUser(build("-q", "--bytecode", "none", "--no-cache"), env);
    expect(built).toMatchObject({ code: 0, err: "", out: expect.stringMatching(/^sha256:/) });
    expect(built.out).not.toBe(before.out);
    const saved = asUser(["save", "-o", join(folder, "app.tar"), built.out.trim()], env);
    expect(saved).toMatchObject({ code: 0 });
    root.ok("load", "-q", "-i", join(folder, "app.tar"));
    expect(root.ok("images", "-q", "--no-trunc")).toContain(built.out.trim());
  });
});
