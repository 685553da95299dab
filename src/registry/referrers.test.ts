// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from "vitest";
import { digestOf } from "../base/index.ts";
import { HttpClient } from "../http/index.ts";
import { MEDIA_TYPES } from "../oci/index.ts";
import { RegistryClient } from "./client.ts";
import { FakeRegistry } from "./fixture.ts";
import type { FakeOptions } from "./fixture.ts";

const EMPTY = Buffer.from("{}");
const open: FakeRegistry[] = [];

afterEach(async () => {
  for (const registry of open.splice(0)) await registry.close();
});

async function start(options: FakeOptions): Promise<{ registry: FakeRegistry; client: RegistryClient }> {
  const registry = await FakeRegistry.open(options);
  open.push(registry);
  const transport = new HttpClient({ env: {}, retries: 0 });
  return { registry, client: new RegistryClient(registry.host, { transport, firstWaitMs: 1 }) };
}

const SUBJECT = digestOf("the image");

function referrer(artifactType: string, more: object = {}): { bytes: Buffer; mediaType: string } {
  const blob = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(EMPTY), size: EMPTY.length };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType,
    config: blob,
    layers: [blob],
    subject: { mediaType: MEDIA_TYPES.ociManifest, digest: SUBJECT, size: 9 },
    ...more,
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), mediaType: MEDIA_TYPES.ociManifest };
}

describe.each([
  ["by the API", { referrers: "whole" }],
  ["by the API in pages", { referrers: "pages" }],
  ["by the tag where there is no API", { referrers: "none" }],
] as const)("referrers %s", (_, options) => {
  it("are listed once they were put, all or of one type", async () => {
    const { registry, client } = await start(options);
    registry.addBlob("app", EMPTY);
    expect(await client.referrers("app", SUBJECT)).toEqual([]);
    const put = [];
    for (const type of ["example/sbom", "example/signature"]) put.push(await client.putReferrer("app", referrer(type)));
    await client.putReferrer("app", referrer("example/sbom"));
    const digests = put.map(({ digest }) => digest).toSorted();
    const found = await client.referrers("app", SUBJECT);
    expect(found.map(({ digest }) => digest).toSorted()).toEqual(digests);
    const [signature] = await client.referrers("app", SUBJECT, { artifactType: "example/signature" });
    expect(signature).toMatchObject({ ...put[1], mediaType: MEDIA_TYPES.ociManifest });
    expect(await client.referrers("app", digestOf("another"))).toEqual([]);
    const tag = `app:${SUBJECT.replace(":", "-")}`;
    expect(registry.manifests.has(tag)).toBe(options.referrers === "none");
  });
});

describe("the tag of referrers", () => {
  it("keeps annotations, and takes the config's type for a missing artifactType", async () => {
    const { registry, client } = await start({});
    registry.addBlob("app", EMPTY);
    await client.putReferrer("app", referrer("x/y", { artifactType: undefined, annotations: { a: "1" } }));
    const [found] = await client.referrers("app", SUBJECT);
    expect(found).toMatchObject({ artifactType: "application/vnd.oci.empty.v1+json", annotations: { a: "1" } });
  });

  it("is written again when another writer was faster", async () => {
    const { registry, client } = await start({});
    registry.addBlob("app", EMPTY);
    const other = referrer("example/other");
    const otherIndex = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [await describeOf(other)] };
    let isFirst = true;
    registry.intercept = (request, response) => {
      if (!isFirst || request.method !== "PUT" || !request.path.endsWith(SUBJECT.replace(":", "-"))) return false;
      isFirst = false;
      const bytes = Buffer.from(JSON.stringify(otherIndex));
      registry.addManifest("app", SUBJECT.replace(":", "-"), { bytes, mediaType: MEDIA_TYPES.ociIndex });
      response.writeHead(201).end();
      return true;
    };
    const own = await client.putReferrer("app", referrer("example/own"));
    const found = await client.referrers("app", SUBJECT);
    expect(found.map(({ digest }) => digest)).toEqual([digestOf(other.bytes), own.digest]);
  });

  it("is what a server that answers everything with a page is asked for", async () => {
    const { registry, client } = await start({});
    registry.addBlob("app", EMPTY);
    registry.intercept = (request, response) => {
      if (!request.path.includes("/referrers/")) return false;
      response.writeHead(200, { "content-type": "text/html" }).end("<html>");
      return true;
    };
    const { digest } = await client.putReferrer("app", referrer("example/own"));
    expect(await client.referrers("app", SUBJECT)).toMatchObject([{ digest }]);
  });
});

async function describeOf({ bytes, mediaType }: { bytes: Buffer; mediaType: string }): Promise<object> {
  return { mediaType, digest: digestOf(bytes), size: bytes.length, artifactType: "example/other" };
}

describe("what is refused", () => {
  it.each([
    ["a manifest without a subject", referrer("x/y", { subject: undefined }), "E_MANIFEST", "no `subject`"],
  ] as const)("%s", async (_, manifest, code, words) => {
    const { client } = await start({});
    await expect(client.putReferrer("app", manifest)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
  });

  it("a list of referrers that is no index, or needs a login", async () => {
    const { registry, client } = await start({});
    registry.intercept = (request, response) => {
      if (!request.path.includes("/referrers/")) return false;
      response.writeHead(200, { "content-type": MEDIA_TYPES.ociIndex }).end("{}");
      return true;
    };
    await expect(client.referrers("app", SUBJECT)).rejects.toMatchObject({ code: "E_MANIFEST" });
    registry.intercept = (request, response) => {
      if (!request.path.includes("/referrers/")) return false;
      response.writeHead(403).end();
      return true;
    };
    await expect(client.referrers("app", SUBJECT)).rejects.toMatchObject({ code: "E_REGISTRY_DENIED" });
  });
});
