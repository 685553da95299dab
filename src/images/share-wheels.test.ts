// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWheel } from "../../test/support/wheel-fixture.ts";
import { digestOf, isTareError } from "../base/index.ts";
import { HttpClient } from "../http/index.ts";
import { builtWheels, openWheelStore, storedWheels } from "../python/index.ts";
import type { BuiltWheel } from "../python/index.ts";
import { RegistryClient } from "../registry/index.ts";
import { FakeRegistry } from "../registry/fixture.ts";
import { openStore } from "../store/index.ts";
import type { Store } from "../store/index.ts";
import { chooseWheels, pullWheels, pushWheels } from "./share-wheels.ts";
import type { PulledWheels, PushedWheels, RemoteWheels } from "./share-wheels.ts";
import { EMPTY, formatWheelSet, parseWheelSet } from "./wheel-artifact.ts";

let folder = "";
let registry: FakeRegistry;
let store: Store;
beforeEach(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-wheels-"));
  registry = await FakeRegistry.open();
  store = openStore({ root: join(folder, "first"), sync: "none" });
});
afterEach(async () => {
  store.close();
  await registry.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

const quiet = { listener: (): void => undefined };
const wheelsOf = (one: Store): ReturnType<typeof openWheelStore> =>
  openWheelStore({ store: one, env: {}, cwd: folder });

function remote(tag = "latest"): RemoteWheels {
  const client = new RegistryClient(registry.host, { transport: new HttpClient({ env: {} }) });
  return { client, repository: "team/wheels", tag };
}

/** Puts a wheel into a store, as if it had been built there. */
async function addBuilt(one: Store, name: string, more: Partial<BuiltWheel> = {}): Promise<BuiltWheel> {
  const { fileName, bytes } = makeWheel({ name, tag: "cp311-cp311-linux_x86_64", isPure: false });
  const path = join(folder, fileName);
  fs.writeFileSync(path, bytes);
  const [stored] = await wheelsOf(one).fetch([{ fileName, path }]);
  const { digest, size } = stored ?? expect.unreachable();
  const key = more.key ?? digestOf(`sources of ${name}`);
  const facts = { source: digestOf(name), python: "3.11", platform: "linux/amd64", seconds: 12.5 };
  const wheel = { key, fileName, digest, size, name, version: "1.0", ...facts, ...more };
  builtWheels(one).put(key, wheel);
  return wheel;
}

const push = (wheels: readonly BuiltWheel[], tag?: string): Promise<PushedWheels> =>
  pushWheels(store, wheels, remote(tag), quiet);

function pull(
  one: Store,
  more: { readonly names?: readonly string[]; readonly platform?: string } = {},
): Promise<PulledWheels> {
  return pullWheels(one, remote(), { ...quiet, names: [], wheels: wheelsOf(one), ...more });
}

async function inOther<T>(work: (other: Store) => Promise<T>): Promise<T> {
  const other = openStore({ root: join(folder, `other-${fs.readdirSync(folder).length}`), sync: "none" });
  try {
    return await work(other);
  } finally {
    other.close();
  }
}

describe("shared wheels", () => {
  it("are found elsewhere by what they were built from", async () => {
    const wheel = await addBuilt(store, "flash");
    const pushed = await push([wheel]);
    expect(pushed).toMatchObject({ total: 1, wasThere: false });
    await inOther(async (other) => {
      expect(await pull(other)).toEqual({ wheels: [wheel], others: 0 });
      expect(builtWheels(other).get(wheel.key)).toEqual(wheel);
      expect(wheelsOf(other).find(wheel.digest)?.fileName).toBe(wheel.fileName);
      const [row] = storedWheels(other);
      expect(row).toMatchObject({ name: "flash", layers: 0, built: { key: wheel.key, seconds: 12.5 } });
    });
  });

  it("are sent to a registry that says it has them, when it turns out that it has not", async () => {
    const wheel = await addBuilt(store, "flash");
    registry.intercept = ({ method, path }, response) => {
      if (method !== "HEAD" || !path.includes("/blobs/")) return false;
      response.writeHead(200, { "content-length": "2" }).end();
      return true;
    };
    expect(await push([wheel])).toMatchObject({ total: 1, wasThere: false });
    expect([...registry.blobs.keys()].toSorted()).toEqual([wheel.digest, EMPTY.descriptor.digest].toSorted());
  });

  it("are an artifact that other tools read: titles, media types, an empty config", async () => {
    const wheel = await addBuilt(store, "flash");
    const { digest } = await push([wheel]);
    const { bytes, mediaType } = registry.manifests.get("team/wheels:latest") ?? expect.unreachable();
    expect([digestOf(bytes), mediaType]).toEqual([digest, "application/vnd.oci.image.manifest.v1+json"]);
    expect(JSON.parse(bytes.toString())).toMatchObject({
      schemaVersion: 2,
      artifactType: "application/vnd.tare.wheels.v1+json",
      config: { mediaType: "application/vnd.oci.empty.v1+json", size: 2 },
      layers: [
        {
          mediaType: "application/vnd.pypi.wheel",
          digest: wheel.digest,
          size: wheel.size,
          annotations: { "org.opencontainers.image.title": wheel.fileName, "tare.wheel.key": wheel.key },
        },
      ],
    });
    expect(registry.blobs.get(EMPTY.descriptor.digest)?.toString()).toBe("{}");
  });

  it("are sent once, and join those of others", async () => {
    const [one, two] = [await addBuilt(store, "one"), await addBuilt(store, "two")];
    await push([one]);
    registry.seen.length = 0;
    expect(await push([one])).toMatchObject({ total: 1, wasThere: true });
    expect(registry.log().filter((line) => /^(?:POST|PUT|PATCH)/.test(line))).toEqual([]);
    expect(await push([two])).toMatchObject({ total: 2, wasThere: false });
    expect(registry.log().filter((line) => line.startsWith("POST"))).toHaveLength(1);
    const newer = { ...(await addBuilt(store, "three")), key: one.key };
    expect(await push([newer])).toMatchObject({ total: 2 });
    await inOther(async (other) => {
      expect((await pull(other)).wheels.map(({ name }) => name).toSorted()).toEqual(["three", "two"]);
    });
  });

  it("are chosen by name, version and platform", async () => {
    const wheels = [
      await addBuilt(store, "one"),
      await addBuilt(store, "two"),
      await addBuilt(store, "arm", { platform: "linux/arm64" }),
    ];
    await push(wheels);
    await inOther(async (other) => {
      const platform = "linux/amd64";
      expect((await pull(other, { names: ["One==1.0"], platform })).wheels.map(({ name }) => name)).toEqual(["one"]);
      expect(await pull(other, { platform })).toMatchObject({ others: 1, wheels: [{ name: "one" }, { name: "two" }] });
      expect((await pull(other)).wheels).toHaveLength(3);
      await expect(pull(other, { names: ["one==2.0"] })).rejects.toMatchObject({ code: "E_WHEEL_MISSING" });
    });
    expect(chooseWheels(wheels, ["two", "one", "two==1.0"], "here").map(({ name }) => name)).toEqual(["two", "one"]);
  });

  it("do not replace what was built here", async () => {
    const wheel = await addBuilt(store, "flash");
    await push([wheel]);
    await inOther(async (other) => {
      const own = await addBuilt(other, "own", { key: wheel.key });
      await pull(other);
      expect(builtWheels(other).get(wheel.key)).toEqual(own);
      // Unless its bytes are gone.
      fs.rmSync(other.blobs.path(own.digest));
      await pull(other);
      expect(builtWheels(other).get(wheel.key)).toEqual(wheel);
    });
  });

  it("with other bytes or another name are refused and not remembered", async () => {
    const wheel = await addBuilt(store, "flash");
    await push([wheel]);
    const good = registry.blobs.get(wheel.digest) ?? expect.unreachable();
    await inOther(async (other) => {
      registry.blobs.set(wheel.digest, Buffer.alloc(good.length));
      await expect(pull(other)).rejects.toMatchObject({ code: "E_DIGEST_MISMATCH" });
      registry.blobs.set(wheel.digest, good);
      const text = Buffer.from("no wheel");
      const forged = { ...wheel, digest: digestOf(text), size: text.length };
      registry.addBlob("team/wheels", text);
      registry.addManifest("team/wheels", "latest", formatWheelSet([forged]));
      const failure: unknown = await pull(other).catch((error: unknown) => error);
      expect(isTareError(failure) && failure.code).toMatch(/^E_(?:ZIP|WHEEL)/);
      registry.addManifest(
        "team/wheels",
        "latest",
        formatWheelSet([{ ...wheel, fileName: wheel.fileName.replace("flash", "torch") }]),
      );
      await expect(pull(other)).rejects.toMatchObject({ code: "E_WHEEL" });
      expect([builtWheels(other).list(), storedWheels(other)]).toEqual([[], []]);
    });
  });

  it("do not replace an image at that tag", async () => {
    const wheel = await addBuilt(store, "flash");
    const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest: digestOf("c"), size: 1 };
    const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: digestOf("l"), size: 1 };
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [layer] }));
    registry.addManifest("team/wheels", "latest", { bytes, mediaType: "application/vnd.oci.image.manifest.v1+json" });
    await expect(push([wheel])).rejects.toMatchObject({
      code: "E_MANIFEST",
      message: expect.stringContaining("no set of wheels"),
    });
    await expect(inOther((other) => pull(other))).rejects.toMatchObject({ code: "E_MANIFEST" });
    expect(registry.manifests.get("team/wheels:latest")?.bytes).toEqual(bytes);
  });
});

describe("the manifest of a set of wheels", () => {
  const WHEEL: BuiltWheel = {
    key: digestOf("k"),
    fileName: "demo-1.0-py3-none-any.whl",
    digest: digestOf("d"),
    size: 3,
    name: "demo",
    version: "1.0",
    source: "git:0123",
    python: "3.11",
    platform: "linux/amd64",
    seconds: 1,
  };
  const changed = (change: (layer: { annotations: Record<string, string> }) => void): string => {
    const manifest = JSON.parse(formatWheelSet([WHEEL]).bytes.toString()) as {
      layers: { annotations: Record<string, string> }[];
    };
    const [layer] = manifest.layers;
    if (layer) change(layer);
    return JSON.stringify(manifest);
  };

  it("is read as it was written, in an order of its own", () => {
    const other = {
      ...WHEEL,
      key: digestOf("z"),
      fileName: "alpha-2.0-py3-none-any.whl",
      name: "alpha",
      version: "2.0",
    };
    const { bytes } = formatWheelSet([WHEEL, other]);
    expect(bytes.equals(formatWheelSet([other, WHEEL]).bytes)).toBe(true);
    expect(parseWheelSet(bytes.toString(), "x")).toEqual([other, WHEEL]);
    expect(digestOf(EMPTY.bytes)).toBe(EMPTY.descriptor.digest);
  });

  it.each<[string, string]>([
    ["nothing", "{}"],
    ["no wheels", JSON.stringify({ ...(JSON.parse(formatWheelSet([WHEEL]).bytes.toString()) as object), layers: [] })],
    ["no title", changed(({ annotations }) => delete annotations["org.opencontainers.image.title"])],
    [
      "a title with a folder",
      changed(
        ({ annotations }) => void (annotations["org.opencontainers.image.title"] = "../demo-1.0-py3-none-any.whl"),
      ),
    ],
    [
      "a title that is no wheel",
      changed(({ annotations }) => void (annotations["org.opencontainers.image.title"] = "demo.tar.gz")),
    ],
    ["a key that is no digest", changed(({ annotations }) => void (annotations["tare.wheel.key"] = "x"))],
    ["no source", changed(({ annotations }) => delete annotations["tare.wheel.source"])],
    ["control characters", changed(({ annotations }) => void (annotations["tare.wheel.source"] = "\u001b[2J"))],
    ["a time that is none", changed(({ annotations }) => void (annotations["tare.wheel.seconds"] = "soon"))],
  ])("with %s is refused", (_name, text) => {
    expect(() => parseWheelSet(text, "x")).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^E_MANIFEST$|^E_WHEEL_NAME$/) }),
    );
  });
});
