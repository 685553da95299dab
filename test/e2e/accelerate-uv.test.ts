// SPDX-License-Identifier: Apache-2.0
/* `RUN uv sync` without its wheels: the environment is uv's own, file for file. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { writeSdist, writeWheel } from "../support/made-wheel.ts";
import type { MadeWheel } from "../support/made-wheel.ts";
import { compareWithPip } from "../support/pip-differences.ts";
import { openPipWorld } from "../support/pip-world.ts";
import type { Built, PipWorld } from "../support/pip-world.ts";
import { whyNoPythonBase } from "../support/python-base.ts";
import { indexEnvironment, uvProgram, whyNoUv } from "../support/uv.ts";
import { UV_SYNC, UV_SYNC_PROJECT, UV_SYNC_WRITTEN, withMounts } from "../support/uv-sync-cases.ts";
import type { UvSyncCase } from "../support/uv-sync-cases.ts";
import { fetchWheels } from "../support/wheels.ts";

const reason = whyNoBusybox() ?? whyNoPythonBase() ?? whyNoUv();
if (reason !== undefined) console.log(`skipped: RUN uv sync without its wheels: ${reason}`);

const NAMES = "uv setuptools click==8.1.8 click uvicorn h11 typing-extensions greenlet six idna==3.10 idna uvloop pip";

/** All that an installer may do otherwise. */
const ODD: MadeWheel = {
  name: "Odd.Name",
  entryPoints: "[console_scripts]\nodd = odd:App.run [x]\n[gui_scripts]\nodd-window=odd:window\n",
  files: [
    { name: "odd.py", content: "x = 1\n", mode: 0o100755 },
    { name: "read_only.py", content: "x = 1\n", mode: 0o100444 },
    { name: "Odd_Name-1.0.data/scripts/plain", content: "#!python -u\nprint(1)\n" },
    { name: "Odd_Name-1.0.data/scripts/shell", content: "#!/bin/sh\n" },
    { name: "Odd_Name-1.0.data/headers/odd.h", content: "//\n" },
    { name: "Odd_Name-1.0.data/data/share/odd, too/x", content: "x" },
    { name: "Odd_Name-1.0.data/purelib/pure_odd.py", content: "x = 2\n" },
  ],
};

let world: PipWorld;
let lock = "";

async function open(): Promise<void> {
  const made = fs.mkdtempSync(join(tmpdir(), "made-"));
  const paths = await fetchWheels(NAMES.split(" "));
  world = await openPipWorld("accelerate-uv", [...paths, writeWheel(made, ODD), writeSdist(made)]);
  const folder = join(world.folder, "locked");
  for (const [path, text] of Object.entries(UV_SYNC_PROJECT)) {
    fs.mkdirSync(dirname(join(folder, path)), { recursive: true });
    fs.writeFileSync(join(folder, path), text);
  }
  const uv = await uvProgram();
  const env = {
    ...process.env,
    ...indexEnvironment(uv, world.folder, world.index.url),
    UV_DEFAULT_INDEX: world.index.url,
  };
  const done = spawnSync(uv, ["lock"], { cwd: folder, env, encoding: "utf8" });
  if (done.status !== 0) throw new Error(done.stderr);
  lock = fs.readFileSync(join(folder, "uv.lock"), "utf8");
}

function build(test: UvSyncCase, how: string, accelerate: boolean): Promise<Built> {
  const Dockerfile = `FROM python:3.11-slim
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
RUN pip install uv
WORKDIR /app
${withMounts(test.dockerfile, how)}
`;
  const name = `${test.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}-${how}`;
  const files = { ...UV_SYNC_PROJECT, "uv.lock": lock, ...test.files, Dockerfile, ".dockerignore": "Dockerfile" };
  return world.build(`uv-${name}`, files, { accelerate });
}

describe.skipIf(reason !== undefined)("RUN uv sync without its wheels", () => {
  beforeAll(open);
  afterAll(() => world.close());

  it.each(UV_SYNC)("$name", async (test) => {
    const fast = await build(test, "fast", true);
    expect(fast.log).toMatch(/tare: installed \d+ wheels? .*uv did the rest/);
    const plain = await build(test, "plain", false);
    expect(plain.log).not.toMatch(/uv did the rest/);
    const { unexplained } = compareWithPip(plain.tree, fast.tree, { memo: world.memo });
    expect(unexplained.filter((line) => !UV_OWN.test(line))).toEqual([]);
  });

  it.each(UV_SYNC_WRITTEN)("as written: $name", async (test) => {
    const done = await build(test, "written", true).then(
      ({ log }) => ({ ok: true, log }),
      (error: unknown) => ({ ok: false, log: String(error) }),
    );
    expect(done.log).toMatch(test.reason);
    expect(done.log).toMatch(/tare: runs as written: /);
    expect(done.ok, done.log).toBe(test.fails !== true);
  });
});

/** What docs/differences.md says of uv. */
const UV_OWN = /^(?:root\/\.cache(?:\/uv)?|tmp\/uv-[\w-]+\.lock)(?:[/:]|$)/;
