// SPDX-License-Identifier: Apache-2.0
/* Registries that say they have what they then do not find: it is sent whatever they said, once. */
import * as fs from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { putImage } from "../../test/support/copied-image.ts";
import type { MadeImage } from "../../test/support/copied-image.ts";
import { HttpClient } from "../http/index.ts";
import { FakeRegistry } from "../registry/fixture.ts";
import { RegistryClient } from "../registry/index.ts";
import { openStore } from "../store/index.ts";
import { copyImage } from "./copy/copy-image.ts";
import { registrySource, registryTarget } from "./copy/registry-places.ts";
import { pullImage } from "./pull.ts";
import { pushImage } from "./push.ts";

const PLATFORM = { os: "linux", architecture: "amd64" };
let folder = "";
let source: FakeRegistry;
let target: FakeRegistry;
let image: MadeImage;

beforeEach(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-doubted-"));
  source = await FakeRegistry.open();
  target = await FakeRegistry.open();
  image = await putImage(source, "app");
});
afterEach(async () => {
  await source.close();
  await target.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const clientOf = ({ host }: FakeRegistry): RegistryClient =>
  new RegistryClient(host, { transport: new HttpClient({ env: {}, retries: 0 }), firstWaitMs: 1 });

type Lie = (line: string, response: ServerResponse) => boolean;

function answer(response: ServerResponse, status: number, headers: Record<string, string> = {}, body = ""): true {
  response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers }).end(body);
  return true;
}

const unknownBlob = (response: ServerResponse, detail: object = {}): true =>
  answer(response, 400, {}, JSON.stringify({ errors: [{ code: "MANIFEST_BLOB_UNKNOWN", message: "gone", detail }] }));

const saysYes: Lie = (line, response) => /^HEAD .*\/blobs\//.test(line) && answer(response, 200);

function lie(...lies: readonly Lie[]): void {
  target.intercept = ({ method, path }, response) => lies.some((each) => each(`${method} ${path}`, response));
}

const sentBlobs = (): number => target.log().filter((line) => /^PUT .*\/blobs\/uploads\//.test(line)).length;

describe("a copy to a registry", () => {
  const copy = (from: FakeRegistry = source, platforms: "all" | "host" = "host"): ReturnType<typeof copyImage> =>
    copyImage(
      registrySource({ client: clientOf(from), repository: "app", tag: "1" }, []),
      registryTarget({ client: clientOf(target), repository: "team/app", tag: "1" }),
      { platforms: platforms === "all" ? { kind: "all" } : { kind: "host", platform: PLATFORM }, referrers: false },
    );

  it("that says it has all of it sends all of it after the manifest was refused", async () => {
    lie(saysYes);
    expect(await copy()).toMatchObject({ digest: image.amd64.digest, blobs: { copied: 2, existing: 0 } });
    expect(target.manifests.has("team/app:1")).toBe(true);
    expect(sentBlobs()).toBe(2);
  });

  it("that names what it lacks sends that alone", async () => {
    const [layer] = image.layers;
    if (!layer) throw new Error("no layer");
    for (const [digest, bytes] of source.blobs) if (digest !== layer.digest) target.addBlob("team/app", bytes);
    lie(saysYes, (line, response) => {
      const lacks = /^PUT .*\/manifests\//.test(line) && sentBlobs() === 0;
      return lacks && unknownBlob(response, { digest: layer.digest });
    });
    expect(await copy()).toMatchObject({ digest: image.amd64.digest, blobs: { copied: 1, existing: 1 } });
    expect(sentBlobs()).toBe(1);
  });

  it("that says it mounted what it did not sends it", async () => {
    await source.close();
    source = target;
    image = await putImage(target, "app");
    lie((line, response) => /^POST .*[?&]mount=/.test(line) && answer(response, 201, { location: "/v2/x" }));
    expect(await copy(target)).toMatchObject({ digest: image.amd64.digest, blobs: { copied: 2, mounted: 0 } });
  });

  it("that says it has the platforms of an index sends them with what they name", async () => {
    const parts: readonly string[] = [image.amd64.digest, image.arm64.digest, image.attestation.digest];
    lie(
      saysYes,
      (line, response) => {
        const [, digest = ""] = /^HEAD .*\/manifests\/(sha256:\w+)$/.exec(line) ?? [];
        return parts.includes(digest) && answer(response, 200, { "docker-content-digest": digest });
      },
      (line, response) => {
        if (!/^PUT .*\/manifests\/1$/.test(line)) return false;
        const digest = parts.find((each) => !target.manifests.has(`team/app@${each}`));
        return digest !== undefined && unknownBlob(response);
      },
    );
    expect(await copy(source, "all")).toMatchObject({ digest: image.index.digest });
    for (const part of parts) expect(target.manifests.has(`team/app@${part}`)).toBe(true);
  });

  it("that never finds it ends with what to do, after one more try", async () => {
    lie(saysYes, (line, response) => /^PUT .*\/manifests\//.test(line) && unknownBlob(response));
    await expect(copy()).rejects.toMatchObject({
      code: "E_REGISTRY",
      message: expect.stringContaining("answers 400 (MANIFEST_BLOB_UNKNOWN: gone)"),
      hint: expect.stringContaining("its owner"),
    });
    expect(sentBlobs()).toBe(2);
    expect(target.log().filter((line) => /^PUT .*\/manifests\//.test(line))).toHaveLength(2);
  });
});

describe("a push", () => {
  it("sends what was handed over before it and is not there after all", async () => {
    const store = openStore({ root: join(folder, "store"), sync: "none" });
    try {
      const from = { client: clientOf(source), repository: "app", tag: "1" };
      const { record } = await pullImage(store, from, { platform: PLATFORM, names: ["a:1"] });
      const absent = {
        seen: new Set<never>(),
        sent: () => Promise.resolve("exists" as const),
        open: () => undefined,
      };
      lie(saysYes);
      const to = { client: clientOf(target), repository: "team/app", tag: "1" };
      expect(await pushImage(store, record, to, { absent })).toMatchObject({ wasThere: false });
      expect(sentBlobs()).toBe(2);
    } finally {
      store.close();
    }
  });
});
