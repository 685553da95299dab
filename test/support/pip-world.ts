// SPDX-License-Identifier: Apache-2.0
/* A store with the Python base, an index of this machine, and builds that install from it. */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import type { BuildRequest } from "../../src/build/index.ts";
import { openWheelStore, unpackDeferred } from "../../src/python/index.ts";
import { TreeView } from "../../src/store/index.ts";
import { attempt, buildRequest, builtImage, openBuildWorld } from "./builds.ts";
import type { BuildWorld } from "./builds.ts";
import { loadPythonBase } from "./python-base.ts";
import type { TreeFact } from "./tree.ts";
import { startIndex } from "./wheel-index.ts";
import type { IndexPeer } from "./wheel-index.ts";

/** A finished build. */
export interface Built {
  readonly name: string;
  readonly tree: TreeView;
  readonly log: string;
  readonly layers: number;
}

/** Where a test installs. */
export interface PipWorld extends BuildWorld {
  readonly index: IndexPeer;
  /** Facts of files in layers, by path on this host. */
  readonly memo: Map<string, TreeFact>;
  /** Builds files as a context; the image is `name`. Throws with the step's output. */
  build(name: string, files: Readonly<Record<string, string>>, more?: Partial<BuildRequest>): Promise<Built>;
}

/** Opens a world whose index has these files. Throws when the base can't be had. */
export async function openPipWorld(name: string, paths: readonly string[]): Promise<PipWorld> {
  const world = openBuildWorld(name);
  await loadPythonBase(world.store);
  const index = await startIndex(paths);
  const env = { PATH: process.env["PATH"] ?? "", HOME: world.folder, ...index.env };
  const wheels = openWheelStore({ store: world.store, env, cwd: world.folder });
  world.wheels = () => Promise.resolve(wheels);
  const build: PipWorld["build"] = async (image, files, more = {}) => {
    const context = join(world.folder, "contexts", image);
    for (const [path, text] of Object.entries(files)) {
      fs.mkdirSync(dirname(join(context, path)), { recursive: true });
      fs.writeFileSync(join(context, path), text);
    }
    const buildArgs = { PIP_INDEX_URL: index.url, UV_DEFAULT_INDEX: index.url, PIP_DISABLE_PIP_VERSION_CHECK: "1" };
    const request = buildRequest([".", "-t", image], { cwd: context, buildArgs, ...more });
    const done = await attempt({ ...world, ...(opened.caches && { caches: opened.caches }) }, request, env);
    if (!done.ok) throw new Error(done.error);
    const { config } = builtImage(world, done.result);
    await unpackDeferred({ store: world.store, wheels: async () => wheels }, config.rootfs.diff_ids);
    const { layers } = builtImage(world, done.result);
    return { name: image, tree: new TreeView(layers), log: done.log, layers: layers.length };
  };
  const close = (): void => {
    void index.stop();
    world.close();
  };
  const opened: PipWorld = { ...world, wheels: world.wheels, index, memo: new Map(), build, close };
  return opened;
}
