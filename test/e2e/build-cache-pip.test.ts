// SPDX-License-Identifier: Apache-2.0
/* Layers of wheels that `RUN pip install` gets from a build cache, also when the step itself is another one. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BuiltSteps, ImportedCaches } from "../../src/build/index.ts";
import { folderCache, readBuildCache, wheelLayersOf, writeFolderCache } from "../../src/images/index.ts";
import { whyNoBusybox } from "../support/bases.ts";
import { openPipWorld } from "../support/pip-world.ts";
import type { Built, PipWorld } from "../support/pip-world.ts";
import { whyNoPythonBase } from "../support/python-base.ts";
import { fetchWheels, whyNoWheels } from "../support/wheels.ts";

const reason = whyNoBusybox() ?? whyNoPythonBase() ?? whyNoWheels();
if (reason !== undefined) console.log(`skipped: build caches with RUN pip install: ${reason}`);

describe.skipIf(reason !== undefined)("RUN pip install with the cache of another machine", () => {
  const worlds: PipWorld[] = [];
  beforeAll(async () => {
    const paths = await fetchWheels(["uvloop", "pyyaml", "idna==3.10", "six"]);
    for (const name of ["pip-a", "pip-b"]) worlds.push(await openPipWorld(name, paths));
  });
  afterAll(() => {
    for (const world of worlds) world.close();
  });

  function build(world: PipWorld, names: string): Promise<Built> {
    const Dockerfile = `FROM python:3.11-slim\nARG PIP_INDEX_URL\nRUN pip install ${names}\n`;
    return world.build("app", { Dockerfile });
  }

  it("takes the layers of known wheels, and makes that of a new one", async () => {
    const [a, b] = worlds;
    if (!a || !b) throw new Error("two machines");
    const steps = new BuiltSteps();
    a.caches = { steps };
    await build(a, "uvloop pyyaml six");
    const content = await steps.content(a.store, "max", undefined);
    const folder = join(a.folder, "cache");
    const wheels = wheelLayersOf(a.store, a.wheels ?? ((): never => expect.unreachable()));
    await writeFolderCache(a.store, content, folder, {
      tag: "latest",
      compression: "gzip",
      wheels,
      open: () => undefined,
    });
    const cache = await readBuildCache(folderCache(folder, "cache"), new AbortController().signal);
    const imported = new ImportedCaches(cache ? [cache] : [], { store: b.store });
    b.caches = { imported };
    // Its index has another address, so the step is another one; of its layers those are known that have no idna.
    const warm = await build(b, "uvloop pyyaml six idna");
    imported.close();
    expect(warm.log).toMatch(/tare: installed 4 wheels/);
    const fromOutside = content.layers.filter((diffId) => b.store.layers.facts(diffId)?.blob !== undefined);
    expect(fromOutside.length).toBeGreaterThanOrEqual(2);
    for (const name of ["uvloop", "yaml", "idna"]) {
      expect(warm.tree.lookup(`usr/local/lib/python3.11/dist-packages/${name}/__init__.py`), name).toBeDefined();
    }
  });
});
