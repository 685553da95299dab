// SPDX-License-Identifier: Apache-2.0
/* Two stores that share a folder: what one built the other need not build. Nothing is run, so no root is needed. */
import * as fs from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildRequest, openBuildWorld } from "../../test/support/builds.ts";
import type { BuildWorld } from "../../test/support/builds.ts";
import { folderCache, readBuildCache, wheelLayersOf, writeFolderCache } from "../images/index.ts";
import type { ReadBuildCache } from "../images/index.ts";
import { parseManifest } from "../oci/index.ts";
import type { BuildEvent } from "../solver/index.ts";
import { BuiltSteps } from "./built-steps.ts";
import { ImportedCaches } from "./imported-caches.ts";
import { runBuild } from "./run-build.ts";
import type { BuildResult } from "./request.ts";

const DOCKERFILE = `FROM scratch AS stage
COPY one /stage/one
COPY two /stage/two
FROM scratch
COPY --from=stage /stage /stage
COPY three /three
`;

let worlds: BuildWorld[] = [];
let context = "";
let folder = "";
beforeEach(() => {
  worlds = [openBuildWorld("cache-a"), openBuildWorld("cache-b")];
  context = join(at(0).folder, "context");
  folder = join(at(0).folder, "cache");
  fs.mkdirSync(context);
  const files = { Dockerfile: DOCKERFILE, one: "1", two: "2", three: "3" };
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(context, name), text);
});
afterEach(() => {
  for (const world of worlds) world.close();
});

function at(index: number): BuildWorld {
  const world = worlds[index];
  if (!world) throw new Error("no such world");
  return world;
}

const wheels = (): Promise<never> => Promise.reject(new Error("no wheels in this test"));

interface Built {
  readonly result: BuildResult;
  readonly steps: BuiltSteps;
  /** Labels of steps that ran, and of those that were known. */
  readonly ran: readonly string[];
  readonly cached: readonly string[];
  readonly warnings: readonly string[];
  readonly imported: ImportedCaches | undefined;
}

async function build(world: BuildWorld, caches: readonly ReadBuildCache[] = []): Promise<Built> {
  const events: BuildEvent[] = [];
  const listener = (event: BuildEvent): void => void events.push(event);
  const { store } = world;
  const steps = new BuiltSteps();
  const imported = caches.length > 0 ? new ImportedCaches(caches, { store, listener }) : undefined;
  const place = { store, runRoot: join(world.folder, "run"), env: {}, wheels, steps };
  const request = { ...buildRequest(["-t", "app", context]), listener };
  const result = await runBuild({ ...place, ...(imported ? { imported } : {}) }, request);
  const labels = new Map(events.flatMap((event) => (event.kind === "vertex" ? [[event.id, event.label]] : [])));
  const of = (kind: BuildEvent["kind"]): string[] =>
    events.flatMap((event) => (event.kind === kind && "id" in event ? [labels.get(event.id) ?? ""] : []));
  const warnings = events.flatMap((event) => (event.kind === "warning" ? [event.message] : []));
  return { result, steps, ran: of("completed"), cached: of("cached"), warnings, imported };
}

async function write(world: BuildWorld, { steps, imported }: Built, mode: "min" | "max"): Promise<void> {
  const { store } = world;
  const content = await steps.content(store, mode, imported);
  const options = { tag: "latest", compression: "gzip", open: () => undefined } as const;
  await writeFolderCache(store, content, folder, { ...options, wheels: wheelLayersOf(store, wheels) });
}

async function read(): Promise<ReadBuildCache> {
  const cache = await readBuildCache(folderCache(folder, "cache"), new AbortController().signal);
  if (!cache) throw new Error("no cache");
  return cache;
}

/** Digests of the layers' blobs. */
function blobs(): readonly string[] {
  const index = JSON.parse(fs.readFileSync(join(folder, "index.json"), "utf8")) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  return parseManifest(fs.readFileSync(pathOf(index.manifests[0]?.digest ?? ""), "utf8")).layers.map(
    ({ digest }) => digest,
  );
}

function pathOf(digest: string): string {
  return join(folder, "blobs/sha256", digest.slice("sha256:".length));
}

describe("a build with the cache of another store", () => {
  it.each([
    ["min", 2],
    ["max", 4],
  ] as const)("runs nothing with mode=%s, whose cache has %i layers", async (mode, layers) => {
    const first = await build(at(0));
    expect(first.ran).toHaveLength(4);
    await write(at(0), first, mode);
    expect(blobs()).toHaveLength(layers);
    const second = await build(at(1), [await read()]);
    expect([second.ran, second.cached.length, second.warnings]).toEqual([[], 4, []]);
    expect(second.result.images[0]?.id).toBe(first.result.images[0]?.id);
    expect(at(1).store.layers.list()).toHaveLength(2);
  });

  it("runs what changed, with the files of stages fetched or, where only their names are known, made again", async () => {
    const first = await build(at(0));
    for (const [mode, stage] of [
      ["max", 0],
      ["min", 1],
    ] as const) {
      await write(at(0), first, mode);
      const world = openBuildWorld("cache-c");
      worlds.push(world);
      fs.writeFileSync(join(context, "two"), `changed ${mode}`);
      const { ran, warnings } = await build(world, [await read()]);
      // The COPY of a changed file, what is copied of the stage then, and what stands on that.
      expect(ran.filter((label) => label.includes("COPY one"))).toHaveLength(stage);
      expect(ran.filter((label) => !label.includes("COPY one"))).toHaveLength(3);
      expect(warnings).toEqual([]);
    }
  });

  it("takes the cache that has the layers rather than one that knows them, whatever the order", async () => {
    const first = await build(at(0));
    await write(at(0), first, "min");
    const min = await read();
    const aside = folder;
    folder = join(at(0).folder, "max");
    await write(at(0), first, "max");
    const max = await read();
    expect(aside).not.toBe(folder);
    fs.writeFileSync(join(context, "three"), "changed");
    const { ran, warnings } = await build(at(1), [min, max]);
    expect([ran.length, warnings]).toEqual([1, []]);
  });

  it("brings many layers at the same time, equal ones once", async () => {
    const copies = Array.from({ length: 14 }, (_, index) => `COPY one /${index}\n`);
    fs.writeFileSync(join(context, "Dockerfile"), `FROM scratch\n${copies.join("")}`);
    const first = await build(at(0));
    await write(at(0), first, "min");
    const second = await build(at(1), [await read()]);
    expect([second.ran, second.cached.length, second.warnings]).toEqual([[], 14, []]);
    expect(second.result.images[0]?.id).toBe(first.result.images[0]?.id);
  });

  it("warns once of what a cache lacks, and makes it", async () => {
    const first = await build(at(0));
    await write(at(0), first, "max");
    const cache = await read();
    for (const digest of blobs()) fs.rmSync(pathOf(digest));
    const second = await build(at(1), [cache]);
    expect(second.warnings).toHaveLength(1);
    expect(second.warnings[0]).toMatch(/it is not there; its step runs here$/);
    expect(second.result.images).toEqual(first.result.images);
  });

  it("writes a cache of what others built, without what is nowhere any more", async () => {
    const first = await build(at(0));
    await write(at(0), first, "max");
    const second = await build(at(1), [await read()]);
    const stage = blobs().filter((digest) => !at(1).store.blobs.has(digest as never));
    expect(stage).toHaveLength(2);
    for (const digest of stage) fs.rmSync(pathOf(digest));
    const content = await second.steps.content(at(1).store, "max", second.imported);
    const own = await first.steps.content(at(0).store, "max", undefined);
    expect(content.records).toEqual(own.records);
    expect(content.absent.size).toBe(0);
    folder = join(at(1).folder, "next");
    await write(at(1), second, "max");
    expect(blobs()).toHaveLength(2);
  });
});
