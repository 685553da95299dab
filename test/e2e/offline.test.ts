// SPDX-License-Identifier: Apache-2.0
/* The second build of anything works without a network: in a network namespace that has not even a loopback. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { PROGRAM, addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { addPythonBase, whyNoPythonBase } from "../support/python-base.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { IndexPeer } from "../support/wheel-index.ts";
import { fetchWheels, whyNoWheels } from "../support/wheels.ts";

const canCut = spawnSync("unshare", ["--net", "true"]).status === 0;
const reason = whyNoBusybox() ?? (canCut ? undefined : "a network namespace can't be made here");
const pythonReason = reason ?? whyNoPythonBase() ?? whyNoWheels();
if (reason !== undefined) console.log(`skipped: offline: ${reason}`);
if (pythonReason !== undefined) console.log(`skipped: offline: projects: ${pythonReason}`);

/** Runs a command without a network. */
function cut(world: Pick<ProgramWorld, "env" | "folder">, ...args: readonly string[]): Outcome {
  const options = { env: world.env, cwd: world.folder, maxBuffer: 1 << 28, encoding: "utf8" } as const;
  const child = spawnSync("unshare", ["--net", PROGRAM, ...args], options);
  return { code: child.status ?? 128, out: child.stdout, err: child.stderr };
}

/** Builds twice, the second time without a network; the image's id is the same. */
function expectSame(world: ProgramWorld, folder: string, ...args: readonly string[]): void {
  const { code, out, err } = world.tare(["build", "-q", ...args, folder], { env: world.env });
  expect([code, err]).toEqual([0, ""]);
  const first = out.trim();
  const second = cut(world, "build", "--progress", "plain", "--iidfile", join(world.folder, "id"), ...args, folder);
  expect(second.err).not.toMatch(/error\[/);
  expect(fs.readFileSync(join(world.folder, "id"), "utf8").trim()).toBe(first);
}

describe.skipIf(reason !== undefined)("the second build without a network", () => {
  let world: ProgramWorld;
  let server: Server;
  let url = "";
  let status = 200;
  beforeAll(async () => {
    world = openProgramWorld("offline");
    addBusyboxImage(world);
    server = createServer((_request, response) => response.writeHead(status).end("from the server\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.txt`;
  });
  afterAll(() => {
    server.close();
    world.close();
  });

  it("takes images by tag, RUN steps and an ADD with a checksum from the store", async () => {
    const sum = "fe0ef0e5b4ba8b1dea5a2a4ec38ba6d3ac7ad0efb0b3cdbc0c9a4cf8bd2a1ad4";
    const dockerfile = (checksum: string): string =>
      `# syntax=docker/dockerfile:1\nFROM busybox\nRUN echo made > /made\nADD --checksum=sha256:${checksum} ${url} /data\n`;
    const failed = await world.tareAsync(["build", world.files("sum", { Dockerfile: dockerfile(sum) })]);
    const [, actual = ""] = /got sha256:([0-9a-f]{64})/.exec(failed.err) ?? [];
    expect(failed.err).toContain("E_CHECKSUM");
    const folder = world.files("sum", { Dockerfile: dockerfile(actual) });
    expect((await world.tareAsync(["build", "-q", folder])).code).toBe(0);
    expect(cut(world, "build", folder)).toMatchObject({ code: 0, err: expect.not.stringContaining("warning") });
  });

  it("takes what an ADD fetched the last time and says so, but believes a server that answers", async () => {
    const folder = world.files("add", { Dockerfile: `FROM busybox\nADD ${url} /data.txt\n` });
    const first = await world.tareAsync(["build", "-q", folder]);
    const second = cut(world, "build", "-q", folder);
    expect(second.out).toBe(first.out);
    const told = cut(world, "build", "--progress", "plain", folder);
    expect(told.err).toMatch(/NotReachable.*what was fetched the last time is used/);
    expect(cut(world, "build", "--no-cache", folder)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/error\[E_HTTP\].*\n(.*\n)*hint: check the address, the network/),
    });
    status = 410;
    expect((await world.tareAsync(["build", folder])).err).toMatch(/error\[E_HTTP\].*the server answered 410/);
    status = 200;
  });

  it("takes the commit that a branch stood for the last time", async () => {
    const daemon = await startGit(world);
    try {
      const folder = world.files("git", { Dockerfile: `FROM busybox\nADD ${daemon.url}#main /src\n` });
      const first = await world.tareAsync(["build", "-q", folder]);
      expect(first.err).toBe("");
      expect(cut(world, "build", "-q", folder).out).toBe(first.out);
      expect(cut(world, "build", "--progress", "plain", folder).err).toContain("NotReachable");
    } finally {
      daemon.child.kill();
    }
  });

  it("says which image it needs from a registry, and refuses to leave `--pull` out", () => {
    const folder = world.files("pull", { Dockerfile: "FROM busybox\nRUN true\n" });
    world.ok("build", "-q", folder);
    const pulled = cut(world, "build", "--pull", folder);
    expect(pulled.code).toBe(1);
    expect(pulled.err).toMatch(/error\[E_REGISTRY\]: connecting to the registry `docker\.io`/);
    const absent = cut(world, "build", world.files("absent", { Dockerfile: "FROM nobody/has-this:1\n" }));
    expect(absent.err).toMatch(/error\[E_IMAGE_NOTFOUND\].*nobody\/has-this:1.*registry `docker\.io`/);
  });
});

/** A repository served by `git daemon`. */
async function startGit(world: ProgramWorld): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const work = world.files("repository/work", { "file.txt": "text\n" });
  const git = (...args: readonly string[]): void => {
    const done = spawnSync("git", ["-C", work, "-c", "user.name=t", "-c", "user.email=t@t", ...args]);
    if (done.status !== 0) throw new Error(`git ${args.join(" ")}: ${done.stderr.toString()}`);
  };
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-qm", "first");
  const base = join(world.folder, "repository");
  const port = await freePort();
  const args = ["daemon", "--export-all", `--base-path=${base}`, "--listen=127.0.0.1", `--port=${port}`, base];
  const child = spawn("git", args, { stdio: "ignore" });
  const url = `git://127.0.0.1:${port}/work/.git`;
  for (let tries = 0; tries < 50 && spawnSync("git", ["ls-remote", url]).status !== 0; tries += 1) await sleep(100);
  return { url, child };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createTcpServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

describe.skipIf(pythonReason !== undefined)("the second build of a Python project without a network", () => {
  /** With the settings of an index on this machine, which is gone too when the network is cut. */
  let world: ProgramWorld;
  let index: IndexPeer;
  let wheel = "";
  beforeAll(async () => {
    const plain = openProgramWorld("offline-py");
    addPythonBase(plain);
    [wheel = ""] = await fetchWheels(["six"]);
    index = await startIndex(await fetchWheels(["six", "idna", "uv"]));
    world = { ...plain, env: { ...plain.env, ...index.env } };
  });
  afterAll(async () => {
    await index.stop();
    world.close();
  });

  it("holds its resolution, also when its sources change and after a prune", () => {
    const files = { "requirements.txt": "six\n", "main.py": "import six\nprint(six.__version__)\n" };
    const folder = world.files("project", files);
    expectSame(world, folder, "-t", "project");
    world.ok("system", "prune", "-f");
    expectSame(world, folder, "-t", "project");
    fs.appendFileSync(join(folder, "main.py"), "print(1)\n");
    expect(cut(world, "build", "-q", "-t", "project", folder)).toMatchObject({ code: 0, err: "" });
    // The layers' wheels are here too: other layers can be made of them.
    const again = cut(world, "build", "-q", "--bytecode", "none", folder);
    expect(again).toMatchObject({ code: 0, err: "" });
  });

  it("reads a lock", () => {
    const url = new URL(`/files/${basename(wheel)}`, index.url).href;
    const sum = createHash("sha256").update(fs.readFileSync(wheel)).digest("hex");
    const lock = [
      'lock-version = "1.0"\ncreated-by = "test"\n\n[[packages]]\nname = "six"\nversion = "1.17.0"\n',
      `wheels = [{ url = "${url}", hashes = { sha256 = "${sum}" } }]\n`,
    ].join("");
    expectSame(world, world.files("locked", { "pylock.toml": lock, "main.py": "import six\n" }), "-t", "locked");
  });

  it("has the layers of an accelerated RUN pip install", () => {
    const name = basename(wheel);
    const dockerfile = [
      `FROM python:3.11-slim\nCOPY ${name} /wheels/\n`,
      "RUN pip install --no-index --find-links /wheels six\nCOPY main.py /\n",
    ].join("");
    const content = fs.readFileSync(wheel);
    const folder = world.files("dockerfile", { Dockerfile: dockerfile, "main.py": "import six\n", [name]: content });
    expectSame(world, folder, "-t", "dockerfile");
    fs.appendFileSync(join(folder, "main.py"), "print(1)\n");
    expect(cut(world, "build", "-q", folder)).toMatchObject({ code: 0, err: "" });
  });

  it("says what it needs from the index when that is not here", () => {
    const folder = world.files("new", { "requirements.txt": "idna\n", "main.py": "import idna\n" });
    const unresolved = cut(world, "build", folder);
    expect(unresolved.code).toBe(1);
    expect(unresolved.err).toMatch(/error\[E_RESOLVE\]: .*\nhint: check the network/);
    expect(world.tare(["build", "-q", "-t", "new", folder], { env: world.env }).code).toBe(0);
    world.ok("rmi", "new");
    world.ok("system", "prune", "-f");
    const unfetched = cut(world, "build", folder);
    expect(unfetched.err).toMatch(/error\[E_HTTP\]: .*idna-[\d.]+-py3-none-any\.whl.*\nhint: .*network/);
  });
});
