// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TareError } from "../base/index.ts";
import { writeImage } from "../images/index.ts";
import { openStore } from "../store/index.ts";
import type { ImageRecord, Store } from "../store/index.ts";
import { StoreResolver, contextKey, findImage } from "./resolver.ts";
import type { ImagePuller } from "./resolver.ts";

const platform = { os: "linux", architecture: "amd64" };
let root: string;
let store: Store;
let id = "";

beforeAll(() => {
  root = fs.mkdtempSync(join(tmpdir(), "tare-resolver-"));
  store = openStore({ root, sync: "none" });
  const written = writeImage(store, { config: { ...platform, config: { Cmd: ["sh"] } }, layers: [] });
  id = written.config;
  const target = { target: written.manifest, mediaType: written.mediaType, id: written.config };
  store.images.put(target, ["docker.io/library/base:latest", "example.test/team/app:1"]);
});
afterAll(() => {
  store.close();
  fs.rmSync(root, { recursive: true, force: true });
});

describe("images for FROM", () => {
  it.each(["base", "base:latest", "docker.io/library/base", "example.test/team/app:1"])("%s is found", async (name) => {
    const image = await new StoreResolver(store, new Map()).image(name, platform);
    expect(image.config.config?.Cmd).toEqual(["sh"]);
  });

  it("is found by id, whole or in part", () => {
    for (const text of [id, id.slice("sha256:".length), id.slice("sha256:".length, 20)])
      expect(findImage(store, text)?.id).toBe(id);
  });

  it.each(["base:2", "example.test/team/app", "other"])("%s is not", async (name) => {
    await expect(new StoreResolver(store, new Map()).image(name, platform)).rejects.toMatchObject({
      code: "E_IMAGE_NOTFOUND",
    });
  });

  const puller = (isForced: boolean, found: boolean): ImagePuller & { readonly asked: string[] } => {
    const asked: string[] = [];
    const pull = async (reference: string): Promise<ImageRecord> => {
      asked.push(reference);
      const record = found ? store.images.find(id) : undefined;
      if (record) return record;
      throw new TareError("E_IMAGE_NOTFOUND", "none", { cause: new Error("the registry is away") });
    };
    return { isForced, asked, pull };
  };

  it("is fetched when it is not here, or always with --pull", async () => {
    const missing = puller(false, true);
    await new StoreResolver(store, new Map(), missing).image("base", platform);
    await new StoreResolver(store, new Map(), missing).image("other", platform);
    expect(missing.asked).toEqual(["other"]);
    const forced = puller(true, true);
    await new StoreResolver(store, new Map(), forced).image("base", platform);
    expect(forced.asked).toEqual(["base"]);
  });

  it("says what the registry said, and what is near in the store", async () => {
    const resolver = new StoreResolver(store, new Map(), puller(false, false));
    await expect(resolver.image("bsae", platform)).rejects.toMatchObject({
      code: "E_IMAGE_NOTFOUND",
      message: "bsae: not found in the local store; the registry is away",
      hint: expect.stringContaining("base"),
    });
  });

  it("suggests a near name", async () => {
    await expect(new StoreResolver(store, new Map()).image("bsae", platform)).rejects.toMatchObject({
      hint: expect.stringContaining("base"),
    });
  });

  it("named contexts match however an image's name is written", async () => {
    const context = { kind: "stage", target: "x" } as const;
    const resolver = new StoreResolver(store, new Map([[contextKey("python"), context]]));
    for (const name of ["python", "python:latest", "docker.io/library/python:latest"])
      expect(await resolver.namedContext(name)).toEqual(context);
    expect(await resolver.namedContext("python:3")).toBeUndefined();
  });
});
