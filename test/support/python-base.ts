// SPDX-License-Identifier: Apache-2.0
/* `python:3.11-slim` for tests of whole commands: assembled once, kept as an archive for the tests that follow. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assembleBase } from "../../src/bases/index.ts";
import { loadImages, saveImagesToFile } from "../../src/images/index.ts";
import { hostPlatform } from "../../src/oci/index.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { withLock } from "./lock.ts";
import type { ProgramWorld } from "./program.ts";

const NAME = "python:3.11-slim";

/** Folder for what tests download; TARE_TEST_CACHE names another one. */
export const TEST_CACHE: string = process.env["TARE_TEST_CACHE"] ?? join(tmpdir(), "tare-test-cache");

/** Why no base with Python can be had here; undefined when it can. */
export function whyNoPythonBase(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  if (fs.existsSync(archive())) return undefined;
  return spawnSync("mmdebstrap", ["--version"]).status === 0 ? undefined : "mmdebstrap is not installed";
}

/** Brings `python:3.11-slim` into the world's store. */
export function addPythonBase(world: ProgramWorld): void {
  if (fs.existsSync(archive())) return void world.ok("load", "-q", "-i", archive());
  world.ok("base", "--progress", "quiet", NAME);
  fs.mkdirSync(TEST_CACHE, { recursive: true });
  const partial = `${archive()}.${process.pid}`;
  world.ok("save", "-o", partial, NAME);
  fs.renameSync(partial, archive());
}

/** The same for a store that this process has open. Throws when the packages can't be had. */
export async function loadPythonBase(store: Store): Promise<void> {
  fs.mkdirSync(TEST_CACHE, { recursive: true });
  await withLock(join(TEST_CACHE, ".lock"), assembleArchive);
  await loadImages(store, archive(), { host: hostPlatform(process.arch) });
}

async function assembleArchive(): Promise<void> {
  if (fs.existsSync(archive())) return;
  const place = fs.mkdtempSync(join(TEST_CACHE, ".new-"));
  const store = openStore({ root: join(place, "store"), sync: "none" });
  try {
    await assembleBase(store, { recipe: NAME, packages: [], tags: [], force: false, env: process.env });
    const items = store.images.list().map((record) => ({ record, names: record.names }));
    await saveImagesToFile(store, items, join(place, "base.tar"), { format: "docker" });
    fs.renameSync(join(place, "base.tar"), archive());
  } finally {
    store.close();
    fs.rmSync(place, { recursive: true, force: true });
  }
}

function archive(): string {
  return join(TEST_CACHE, "python-3.11-slim.tar");
}

/** Why the package index can't be asked from here; undefined when it can. */
export function whyNoIndex(): string | undefined {
  const args = ["-m", "pip", "download", "--quiet", "--no-deps", "--dest", join(TEST_CACHE, "probe"), "six==1.17.0"];
  const asked = spawnSync("python3", args, { encoding: "utf8" });
  return asked.status === 0 ? undefined : "the package index can't be reached by pip";
}
