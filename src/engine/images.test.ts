// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isTareError } from "../base/index.ts";
import type { ImageRecord } from "../store/index.ts";
import { openPlace, putContainer, putImage } from "./fixture.ts";
import type { Place } from "./fixture.ts";

let place: Place;
let app: ImageRecord;
let base: ImageRecord;

beforeEach(async () => {
  place = openPlace();
  base = await putImage(place, { names: ["docker.io/library/base:1"], files: { a: "one" }, created: 1_600_000_000 });
  app = await putImage(place, {
    names: ["docker.io/ann/app:latest", "quay.io/ann/app:2"],
    files: { b: "two!" },
    labels: { team: "x" },
    created: 1_700_000_000,
  });
});
afterEach(() => place.close());

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return isTareError(error) ? error.code : String(error);
}

describe("names", () => {
  it.each([
    ["base:1", "base"],
    ["library/base:1", "base"],
    ["docker.io/library/base:1", "base"],
    ["index.docker.io/library/base:1", "base"],
    ["ann/app", "app"],
    ["ann/app:latest", "app"],
    ["quay.io/ann/app:2", "app"],
  ])("resolve %s as Docker does", async (text, wanted) => {
    const { id } = await place.engine.images.resolve(text);
    expect(id).toBe(wanted === "app" ? app.id : base.id);
  });

  it("resolve ids, their beginnings and digests", async () => {
    const { images } = place.engine;
    for (const text of [app.id, app.id.slice(7), app.id.slice(7, 19), app.target, `ann/app@${app.target}`]) {
      expect(await images.resolve(text), text).toEqual({ id: app.id, digest: app.target });
    }
  });

  it.each([
    ["base", "E_IMAGE_NOTFOUND"],
    ["quay.io/ann/app", "E_IMAGE_NOTFOUND"],
    ["UPPER", "E_REF"],
    ["a b", "E_REF"],
    ["", "E_REF"],
  ])("do not resolve %s: %s", async (text, code) => {
    expect(await codeOf(place.engine.images.resolve(text))).toBe(code);
  });

  it("give a hint for a near miss", async () => {
    const error: unknown = await place.engine.images.resolve("ann/ap").catch((reason: unknown) => reason);
    expect(isTareError(error, "E_IMAGE_NOTFOUND") && error.hint).toContain("ann/app");
  });

  it("are listed short", async () => {
    expect([...(await place.engine.images.names())].sort()).toEqual(["ann/app:latest", "base:1", "quay.io/ann/app:2"]);
  });
});

describe("the list", () => {
  it("shows newest first, with sizes and labels", async () => {
    const list = await place.engine.images.list({ filters: {} });
    expect(list.map(({ id }) => id)).toEqual([app.id, base.id]);
    expect(list[0]).toMatchObject({ size: 4, labels: { team: "x" }, platforms: ["linux/amd64"], containers: 0 });
    expect(list[1]?.createdAt).toBe(1_600_000_000_000);
  });

  it("shows when an image without a true time came here", async () => {
    const before = Date.now();
    await putImage(place, { names: ["docker.io/library/plain:latest"], files: { c: "3" } });
    const [plain] = await place.engine.images.list({ filters: {} });
    expect(plain?.names).toEqual(["plain:latest"]);
    expect(plain?.createdAt).toBeGreaterThanOrEqual(before);
  });

  it("tells shared bytes and containers", async () => {
    await putImage(place, { names: ["docker.io/library/twin:1"], files: { b: "two!" }, created: 1_500_000_000 });
    putContainer(place, app, "c".repeat(64), "worker");
    const list = await place.engine.images.list({ filters: {}, sharedSize: true });
    const found = list.map(({ names, sharedSize, containers }) => [names[0], sharedSize, containers]);
    expect(found).toEqual([
      ["ann/app:latest", 4, 1],
      ["base:1", 0, 0],
      ["twin:1", 4, 0],
    ]);
  });

  it.each([
    [{ reference: ["base"] }, ["base:1"]],
    [{ reference: ["*/app"] }, ["ann/app:latest"]],
    [{ reference: ["quay.io/*/*"] }, ["quay.io/ann/app:2"]],
    [{ label: ["team"] }, ["ann/app:latest", "quay.io/ann/app:2"]],
    [{ label: ["team=y"] }, []],
    [{ before: ["ann/app"] }, ["base:1"]],
    [{ since: ["base:1"] }, ["ann/app:latest", "quay.io/ann/app:2"]],
    [{ until: ["2021-01-01"] }, ["base:1"]],
    [{ dangling: ["true"] }, []],
    [{ dangling: ["false"], reference: ["base"] }, ["base:1"]],
  ])("filters by %j", async (filters, names) => {
    const list = await place.engine.images.list({ filters });
    expect(list.flatMap((image) => image.names)).toEqual(names);
  });

  it.each([
    [{ nope: ["1"] }, "E_USAGE"],
    [{ dangling: ["perhaps"] }, "E_FILTER"],
    [{ before: ["nosuch"] }, "E_IMAGE_NOTFOUND"],
    [{ until: ["soon"] }, "E_FILTER"],
  ])("refuses %j: %s", async (filters, code) => {
    expect(await codeOf(place.engine.images.list({ filters }))).toBe(code);
  });

  it("of a store that is not there is empty and makes nothing", async () => {
    const root = join(place.root, "absent");
    const { openEngine } = await import("./index.ts");
    const engine = openEngine({ env: {}, cwd: "/", root });
    expect(await engine.images.list({ filters: {} })).toEqual([]);
    expect(await engine.containers.names({ all: true })).toEqual([]);
    engine.close();
    expect(fs.existsSync(root)).toBe(false);
  });

  it("still shows an image whose config is damaged", async () => {
    place.withStore((store) => {
      fs.chmodSync(store.blobs.path(base.id), 0o600);
      fs.writeFileSync(store.blobs.path(base.id), "{}");
    });
    const list = await place.engine.images.list({ filters: {} });
    expect(list).toHaveLength(2);
  });
});

describe("rmi", () => {
  it("takes a name away, and the image with the last one", async () => {
    const { images } = place.engine;
    const options = { force: false, prune: true };
    expect((await images.remove("ann/app", options)).entries).toEqual([
      { kind: "untagged", subject: "ann/app:latest" },
    ]);
    const { entries, reclaimed } = await images.remove("quay.io/ann/app:2", options);
    expect(entries.slice(0, 2)).toEqual([
      { kind: "untagged", subject: "quay.io/ann/app:2" },
      { kind: "deleted", subject: app.id },
    ]);
    expect(reclaimed).toBeGreaterThan(0);
    expect(await codeOf(images.resolve(app.id))).toBe("E_IMAGE_NOTFOUND");
  });

  it("wants force for an id with names of several repositories", async () => {
    const { images } = place.engine;
    const id = app.id.slice(7, 19);
    expect(await codeOf(images.remove(id, { force: false, prune: true }))).toBe("E_IMAGE_INUSE");
    const { entries } = await images.remove(id, { force: true, prune: true });
    expect(entries.map(({ kind }) => kind).slice(0, 3)).toEqual(["untagged", "untagged", "deleted"]);
  });

  it("keeps an image of a container unless forced", async () => {
    const { images } = place.engine;
    putContainer(place, base, "d".repeat(64), "worker");
    expect(await codeOf(images.remove("base:1", { force: false, prune: true }))).toBe("E_IMAGE_INUSE");
    expect(await images.resolve("base:1")).toMatchObject({ id: base.id });
    await images.remove("base:1", { force: true, prune: true });
    expect(await codeOf(images.resolve("base:1"))).toBe("E_IMAGE_NOTFOUND");
    place.withStore((store) => expect(store.layers.list()).toHaveLength(2));
  });
});

describe("tag and prune", () => {
  it("moves a name; the image without one is dangling and goes with the prune", async () => {
    const { images } = place.engine;
    await images.tag("ann/app", "base:1");
    expect(await images.resolve("base:1")).toMatchObject({ id: app.id });
    const dangling = await images.list({ filters: { dangling: ["true"] } });
    expect(dangling.map(({ id }) => id)).toEqual([base.id]);
    const report = await images.prune({ all: false, filters: {} });
    expect(report.entries[0]).toEqual({ kind: "deleted", subject: base.id });
    expect(await images.list({ filters: {} })).toHaveLength(1);
  });

  it.each([
    ["nosuch", "x:1", "E_IMAGE_NOTFOUND"],
    ["base:1", "Bad", "E_REF"],
    ["base:1", `x@sha256:${"0".repeat(64)}`, "E_REF"],
  ])("tag %s %s fails with %s", async (source, target, code) => {
    expect(await codeOf(place.engine.images.tag(source, target))).toBe(code);
  });

  it("prune --all keeps what a container is made of, and what a filter spares", async () => {
    putContainer(place, base, "e".repeat(64), "worker");
    const { images } = place.engine;
    await images.prune({ all: true, filters: { "label!": ["team"] } });
    expect(await images.list({ filters: {} })).toHaveLength(2);
    const { entries } = await images.prune({ all: true, filters: {} });
    expect(entries).toContainEqual({ kind: "deleted", subject: app.id });
    expect((await images.list({ filters: {} })).map(({ id }) => id)).toEqual([base.id]);
  });

  it("system prune reports images, layers and bytes", async () => {
    const request = { all: true, volumes: true, cache: true, filters: {} };
    const report = await place.engine.system.prune(request);
    expect(report.images.filter(({ kind }) => kind === "untagged")).toHaveLength(3);
    expect(report.reclaimed).toBeGreaterThan(0);
    expect(await place.engine.system.fsck({ repair: false, quick: false })).toEqual([]);
  });
});

describe("archives", () => {
  it("come back as they were saved, by file and by stream", async () => {
    const { images } = place.engine;
    const path = join(place.root, "app.tar");
    await images.save({ images: ["ann/app"], format: "docker", platforms: [], output: "app.tar" });
    const chunks: Buffer[] = [];
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(Buffer.from(chunk));
        done();
      },
    });
    await images.save({ images: ["ann/app"], format: "docker", platforms: [], output: stream });
    expect(Buffer.concat(chunks).equals(fs.readFileSync(path))).toBe(true);
    await images.remove(app.id, { force: true, prune: true });
    const loaded = await images.load({ input: Readable.from([fs.readFileSync(path)]), platforms: [] });
    expect(loaded).toEqual([{ name: "ann/app:latest", id: app.id }]);
  });

  it("leave no file behind when saving fails", async () => {
    const request = { images: ["nosuch"], format: "docker", platforms: [], output: "x.tar" } as const;
    expect(await codeOf(place.engine.images.save(request))).toBe("E_IMAGE_NOTFOUND");
    expect(fs.readdirSync(place.root).filter((name) => name.includes("x.tar"))).toEqual([]);
    expect(await codeOf(place.engine.images.load({ input: "absent.tar", platforms: [] }))).toBe("E_IO");
    expect(await codeOf(place.engine.images.import({ input: "absent.tar", changes: [] }))).toBe("E_IO");
  });

  it("show the history of an image", async () => {
    const rows = await place.engine.images.history("base:1");
    expect(rows).toEqual([
      { id: base.id, createdAt: 1_600_000_000_000, createdBy: "COPY a /", size: 3, comment: "", names: ["base:1"] },
    ]);
    expect(await place.engine.images.inspect("base:1")).toMatchObject({ Id: base.id, RepoTags: ["base:1"] });
  });
});
