// SPDX-License-Identifier: Apache-2.0
/* `RUN pip install` without running it: when it is done, that the result is pip's, and the reason when it is not done. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BuildRequest } from "../../src/build/index.ts";
import { ACCELERATED, ACCELERATED_UV, WRITTEN } from "../support/accelerate-cases.ts";
import type { AccelerateCase } from "../support/accelerate-cases.ts";
import { whyNoBusybox } from "../support/bases.ts";
import { writeSdist, writeWheel } from "../support/made-wheel.ts";
import { compareWithPip } from "../support/pip-differences.ts";
import { openPipWorld } from "../support/pip-world.ts";
import type { Built, PipWorld } from "../support/pip-world.ts";
import { whyNoPythonBase } from "../support/python-base.ts";
import { readTree } from "../support/tree.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { IndexPeer } from "../support/wheel-index.ts";
import { fetchWheels, whyNoWheels } from "../support/wheels.ts";

const reason = whyNoBusybox() ?? whyNoPythonBase() ?? whyNoWheels();
if (reason !== undefined) console.log(`skipped: RUN pip install without running it: ${reason}`);

const NAMES =
  "six idna==3.10 idna click==8.1.8 click greenlet pip setuptools uv uvicorn httptools python-dotenv pyyaml uvloop watchfiles websockets anyio h11 typing-extensions";

let world: PipWorld;
let secured: IndexPeer;

async function open(): Promise<void> {
  const paths = await fetchWheels(NAMES.split(" "));
  const folder = fs.mkdtempSync(join(tmpdir(), "sdist-"));
  world = await openPipWorld("accelerate", [...paths, writeSdist(folder), ...twoPairs(folder)]);
  secured = await startIndex(paths, { credentials: "me:secret" });
}

/** The second one needs the first one, which takes a module of the second one's over. */
function twoPairs(folder: string): readonly string[] {
  const first = { name: "first", files: [{ name: "first.py", content: "" }] };
  const second = { name: "second", requires: ["first"], files: [{ name: "shared.py", content: "" }] };
  return [
    writeWheel(folder, first),
    writeWheel(folder, second),
    writeWheel(folder, { ...first, version: "2", files: second.files }),
    writeWheel(folder, { ...second, version: "2", files: [{ name: "second.py", content: "" }] }),
  ];
}

function build(test: AccelerateCase, how: string, more: Partial<BuildRequest> = {}): Promise<Built> {
  const text = test.dockerfile.replaceAll("URL../", world.index.url.replace("simple/", ""));
  const Dockerfile = `FROM python:3.11-slim\nARG PIP_INDEX_URL\nARG UV_DEFAULT_INDEX\n${text}\n`;
  const secrets = test.secret === undefined ? [] : [{ id: "config", file: writeSecret(test.secret) }];
  const name = `${test.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^-/, "")}-${how}`;
  return world.build(name, { ...test.files, Dockerfile }, { secrets, ...more });
}

function writeSecret(text: string): string {
  const path = join(world.folder, "secret");
  fs.writeFileSync(path, text.replace("HOST", `127.0.0.1:${secured.port}`));
  return path;
}

describe.skipIf(reason !== undefined)("RUN pip install without running it", () => {
  beforeAll(open);
  afterAll(async () => {
    await secured.stop();
    world.close();
  });

  it.each(ACCELERATED)("$name", async (test) => {
    const fast = await build(test, "fast");
    expect(fast.log).toMatch(/tare: installed \d+ wheels? /);
    expect(fast.log).not.toMatch(/runs as written: it replaces/);
    const plain = await build(test, "plain", { accelerate: false });
    expect(plain.log).not.toMatch(/tare: installed/);
    const { unexplained } = compareWithPip(plain.tree, fast.tree, { memo: world.memo });
    expect(unexplained).toEqual([]);
  });

  it.each(WRITTEN)("as written: $name", async (test) => {
    const done = await build(test, "written").then(
      ({ log }) => ({ ok: true, log }),
      (error: unknown) => ({ ok: false, log: String(error) }),
    );
    expect(done.log).toMatch(test.reason);
    expect(done.log).toMatch(/tare: runs as written: /);
    expect(done.ok, done.log).toBe(test.fails !== true);
  });

  it("compiles what pip compiles, with --bytecode all", async () => {
    const test = { name: "compiled", dockerfile: "RUN pip install uvicorn greenlet" };
    const fast = await build(test, "fast", { python: { bytecode: "all" } });
    const plain = await build(test, "plain", { accelerate: false });
    expect(compiledIn(fast)).toEqual(compiledIn(plain));
    expect(compiledIn(fast).length).toBeGreaterThan(50);
  });

  it("fetches nothing twice, and asks nobody when nothing changed", async () => {
    await world.index.requests();
    const test = { name: "again", dockerfile: "RUN pip install --trusted-host 127.0.0.1 click" };
    await build(test, "first");
    const files = (await world.index.requests()).filter((line) => line.endsWith(".whl"));
    expect(files).toHaveLength(1);
    const started = performance.now();
    await build(test, "first");
    expect(await world.index.requests()).toEqual([]);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it.each(ACCELERATED_UV)("by uv: $name", async (test) => {
    const fast = await build(test, "fast");
    expect(fast.log).toMatch(/tare: installed \d+ wheels? /);
    expect(fast.log).not.toMatch(/tare: runs as written/);
    const plain = await build(test, "plain", { accelerate: false });
    const { unexplained } = compareWithPip(plain.tree, fast.tree, { memo: world.memo });
    expect(unexplained.filter((line) => !UV_OWN.test(line))).toEqual([]);
  });
});

/** Bytecode of what was installed; pip's own comes from its running. */
function compiledIn({ tree }: Built): readonly string[] {
  const facts = readTree(tree, world.memo, "usr/local/lib/python3.11/dist-packages");
  const installed = (path: string): boolean => !/\/(?:pip|setuptools|pkg_resources|_distutils_hack)\//.test(path);
  return [...facts.keys()].filter((path) => path.endsWith(".pyc") && installed(path));
}

/** What docs/differences.md says of uv. */
const UV_OWN = /^(?:root\/\.cache(?:\/uv)?|tmp\/uv-[\w-]+\.lock)(?:[/:]|$)/;
