// SPDX-License-Identifier: Apache-2.0
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asDiffId, digestOf, isTareError } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import { HttpClient } from "../http/index.ts";
import type { NotedBase, WheelLayerFacts } from "../python/index.ts";
import { RegistryClient } from "../registry/index.ts";
import { FakeRegistry } from "../registry/fixture.ts";
import { NO_MEMO, addToMemo, parseWheelMemo, readWheelMemo, writeWheelMemo } from "./wheel-memo.ts";

let registry: FakeRegistry;
beforeAll(async () => {
  registry = await FakeRegistry.open();
});
afterAll(() => registry.close());

/** Facts of a layer whose blob the repository has. */
function factOf(name: string): WheelLayerFacts {
  const bytes = Buffer.from(`layer of ${name}`);
  const digest = registry.addBlob("app", bytes) as Digest;
  return {
    key: digestOf(`key of ${name}`),
    diffId: asDiffId(digestOf(name)),
    size: 1024,
    blob: { digest, size: bytes.length },
  };
}

const BASE: NotedBase = {
  id: digestOf("a base"),
  facts: {
    version: 2,
    target: {
      implementation: "cpython",
      version: "3.11.2",
      architecture: "amd64",
      libc: { kind: "glibc", version: "2.36" },
      executable: "/usr/bin/python3.11",
      scheme: { purelib: "/l", platlib: "/l", scripts: "/b", headers: "/h", data: "/usr/local" },
    },
    passwd: "root:x:0:0::/root:/bin/sh\n",
    group: "root:x:0:\n",
    isPlain: true,
    installed: [{ name: "pip", version: "23.0.1", path: "l/pip-23.0.1.dist-info" }],
  },
};

function remote(): { readonly client: RegistryClient; readonly repository: string } {
  return { client: new RegistryClient(registry.host, { transport: new HttpClient({ env: {} }) }), repository: "app" };
}

describe("a repository's memo", () => {
  it("is empty where there is none, and comes back as it was written", async () => {
    expect(await readWheelMemo(remote())).toBe(NO_MEMO);
    const memo = addToMemo(NO_MEMO, { layers: [factOf("one"), factOf("two")], bases: [BASE] });
    await writeWheelMemo(remote(), memo);
    const read = await readWheelMemo(remote());
    expect([...read.layers]).toEqual([...memo.layers]);
    expect(read.bases.get(BASE.id)).toEqual(BASE);
    expect(addToMemo(read, { layers: [factOf("one")], bases: [BASE] })).toBe(read);
  });

  it("can hold bases alone", async () => {
    await writeWheelMemo(remote(), addToMemo(NO_MEMO, { layers: [], bases: [BASE] }));
    expect((await readWheelMemo(remote())).bases.size).toBe(1);
  });

  it("keeps what was used last, and does not grow", () => {
    const many = Array.from({ length: 300 }, (_, index) => factOf(`layer ${index}`));
    let memo = NO_MEMO;
    for (const fact of many) memo = addToMemo(memo, { layers: [fact], bases: [] });
    expect(memo.layers.size).toBe(256);
    expect([...memo.layers.keys()][0]).toBe(many.at(-1)?.key);
    expect(memo.layers.has(many[0]?.key ?? BASE.id)).toBe(false);
  });

  it("takes the place of a fact that was wrong", () => {
    const fact = factOf("one");
    const memo = addToMemo(NO_MEMO, { layers: [{ ...fact, diffId: asDiffId(digestOf("wrong")) }], bases: [] });
    expect(addToMemo(memo, { layers: [fact], bases: [] }).layers.get(fact.key)).toEqual(fact);
  });

  it("is refused or read, whatever it is", () => {
    const values = fc.oneof(fc.json(), fc.string());
    fc.assert(
      fc.property(values, (text) => {
        try {
          return parseWheelMemo(text, "app:tare-wheels").layers.size === 0;
        } catch (error) {
          return isTareError(error);
        }
      }),
    );
  });

  it("has no part of a fact that is not whole", () => {
    const text = (annotations: object, descriptor: object): string =>
      JSON.stringify({
        schemaVersion: 2,
        artifactType: "application/vnd.tare.wheel-layers.v1+json",
        config: { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf("{}"), size: 2 },
        layers: [
          {
            mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
            digest: digestOf("blob"),
            size: 3,
            ...descriptor,
            annotations: {
              "dev.tare.wheels.key": digestOf("key"),
              "dev.tare.wheels.diff-id": digestOf("diff"),
              "dev.tare.wheels.size": "1024",
              ...annotations,
            },
          },
        ],
      });
    expect(parseWheelMemo(text({}, {}), "x").layers.size).toBe(1);
    const values = fc.oneof(fc.string(), fc.constantFrom("sha256:", "-1", "0", "1e400", "NaN", " 1"));
    const names = fc.constantFrom("dev.tare.wheels.key", "dev.tare.wheels.diff-id", "dev.tare.wheels.size");
    fc.assert(
      fc.property(names, values, (name, value) => {
        const { layers } = parseWheelMemo(text({ [name]: value }, {}), "x");
        return layers.size === 0 || (name.endsWith("size") && Number(value) > 0);
      }),
    );
    expect(parseWheelMemo(text({}, { mediaType: "application/vnd.oci.image.layer.v1.tar" }), "x").layers.size).toBe(0);
  });
});
