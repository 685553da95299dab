// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findInterpreter, installWheels, openWheelStore } from "../../src/python/index.ts";
import { TreeView } from "../../src/store/index.ts";
import { attempt, buildRequest, builtImage, openBuildWorld } from "../support/builds.ts";
import type { BuildWorld } from "../support/builds.ts";
import { addPythonBase } from "../support/python-base.ts";
import { compareFacts, folderTree, readTree } from "../support/tree.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { IndexPeer } from "../support/wheel-index.ts";
import { TEST_WHEELS, fetchWheels, whyNoWheels } from "../support/wheels.ts";

const reason = whyNoWheels();
let world: BuildWorld; let index: IndexPeer; let paths: readonly string[];
describe.skipIf(reason !== undefined)("the same result as pip", () => {
  beforeAll(async () => {
    world = openBuildWorld("pip");
    world.wheels = () => Promise.resolve(openWheelStore({ store: world.store, env: index.env, cwd: world.folder }));
    console.time("base"); await addPythonBase(world.store); console.timeEnd("base");
    console.time("wheels"); paths = await fetchWheels(TEST_WHEELS); console.timeEnd("wheels");
    index = await startIndex(paths);
  });
  afterAll(async () => { await index.stop(); world.close(); });
  it("alone", async () => {
    const list = TEST_WHEELS.map(({ name, version, fileName }) => `${name}==${version} ${fileName}`).join("\n");
    const context = join(world.folder, "alone"); fs.mkdirSync(context);
    fs.writeFileSync(join(context, "list"), list + "\n");
    fs.writeFileSync(join(context, "one"), `set -e; pip install -q --root-user-action=ignore --no-cache-dir --no-deps --no-compile --ignore-installed --root /out/"$2" "$1"`);
    fs.writeFileSync(join(context, "Dockerfile"), `FROM python:3.11-slim\nARG PIP_INDEX_URL\nCOPY list one /\nRUN xargs -P 2 -n 2 sh /one </list\n`);
    console.time("pip");
    const done = await attempt(world, buildRequest([".", "-t", "alone", "--build-arg", `PIP_INDEX_URL=${index.url}`], { cwd: context, accelerate: false }));
    console.timeEnd("pip");
    if (!done.ok) throw new Error(done.error);
    console.log(done.log.slice(-2000));
    const { layers } = builtImage(world, done.result);
    const out = join(layers.at(-1)?.tree ?? "", "out");
    const target = findInterpreter(new TreeView(layers), { env: ["PATH=/usr/local/bin:/usr/bin"], architecture: "amd64" });
    console.log(target);
    const settings = { scheme: target.scheme, executable: target.executable, python: target.version, slim: [] };
    const all: string[] = []; let spent = 0; let cmp = 0;
    for (const [at, { fileName }] of TEST_WHEELS.entries()) {
      const tree = join(world.folder, "ours", fileName);
      fs.mkdirSync(tree, { recursive: true });
      const t0 = performance.now();
      try {
      await installWheels([{ file: paths[at] ?? "", fileName, isRequested: true }], tree, settings);
      } catch (error) { all.push(`${fileName}: ${String(error)}`); continue; }
      const t1 = performance.now(); spent += t1 - t0;
      const lines = compareFacts(readTree(folderTree(join(out, fileName))), readTree(folderTree(tree)));
      cmp += performance.now() - t1;
      for (const line of lines) if (!/INSTALLER: sha256|dist-info\/RECORD: sha256.*size/.test(line)) all.push(`${fileName.slice(0, 30)} ${line}`);
      if (!all.length && at === 0) console.log(lines);
    }
    console.log("install", spent, "compare", cmp);
    console.log(all.length, all.slice(0, 60).join("\n"));
  });
});
