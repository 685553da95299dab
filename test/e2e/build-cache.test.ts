// SPDX-License-Identifier: Apache-2.0
/* One machine builds and writes a cache, another one starts from it: a registry or a folder is all they share. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { digestOf, parseDigest } from "../../src/base/index.ts";
import { parseManifest } from "../../src/oci/index.ts";
import type { Descriptor, Manifest } from "../../src/oci/index.ts";
import { whyNoBusybox } from "../support/bases.ts";
import { addBusyboxImage, openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";
import { RemoteWorld } from "../support/remote-world.ts";
import type { ServedWheel, Traffic } from "../support/remote-world.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: build caches of others: ${reason}`);

/** A step leaves another text each time it runs: who has the same text did not run it. */
const UUID = "cat /proc/sys/kernel/random/uuid";
const dockerfile = (base: string): string => `FROM ${base} AS build
WORKDIR /src
COPY source .
RUN --mount=type=secret,id=token --mount=type=cache,target=/cache ${UUID} > /src/run-1 && cp source /src/out
RUN ${UUID} > /src/run-2
FROM ${base}
ARG WHO=nobody
RUN echo "$WHO" > /who && ${UUID} > /run-3
COPY --from=build /src/out /src/run-1 /
COPY late .
CMD ["cat", "/run-1", "/run-3", "/out", "/late"]
`;

describe.skipIf(reason !== undefined)("a build cache of another machine", () => {
  let world: RemoteWorld;
  let count = 0;
  let [base, CACHE, IMAGE, firstId] = ["", "", "", ""];
  beforeAll(async () => {
    world = await RemoteWorld.open();
    const machine = world.machine();
    addBusyboxImage(machine);
    base = `${world.registry.host}/busybox:1`;
    machine.ok("tag", "busybox", base);
    expect((await machine.tareAsync(["push", base])).err).not.toMatch(/error\[/);
  });
  afterAll(() => world.close());
  beforeEach(() => {
    count += 1;
    CACHE = `cache-${count}:main`;
    IMAGE = `image-${count}:1`;
  });

  const ref = (): string => `${world.registry.host}/${CACHE}`;

  function context(machine: ProgramWorld, files: Readonly<Record<string, string>> = {}): string {
    const all = { Dockerfile: dockerfile(base), source: "the source\n", late: "late\n", ...files };
    return machine.files("context", all);
  }

  async function build(machine: ProgramWorld, args: readonly string[], files = {}): Promise<Traffic> {
    const folder = context(machine, files);
    const all = ["build", "--progress", "plain", "--secret", "id=token,env=TOKEN", ...args, folder];
    return world.watch(() => machine.tareAsync(all, { env: { TOKEN: "s3cret-token" } }));
  }

  async function built(machine: ProgramWorld, args: readonly string[], files = {}): Promise<Traffic> {
    const traffic = await build(machine, ["-t", "app", ...args], files);
    expect(traffic.outcome.err).not.toMatch(/error\[/);
    expect(traffic.outcome.code).toBe(0);
    return traffic;
  }

  /** What the image says: the texts of its steps. */
  function texts(machine: ProgramWorld): readonly string[] {
    return machine.ok("run", "--rm", "app").split("\n");
  }

  /** Machine A, with a cache at the registry. */
  async function first(...more: readonly string[]): Promise<readonly string[]> {
    const machine = world.machine();
    const to = `type=registry,ref=${ref()}${more.map((each) => `,${each}`).join("")}`;
    await built(machine, ["--cache-to", to]);
    firstId = machine.ok("images", "-q", "--no-trunc", "app");
    return texts(machine);
  }

  function manifestOf(name: string): Manifest {
    const stored = world.registry.manifests.get(name);
    if (!stored) throw new Error(`no manifest ${name}`);
    return parseManifest(stored.bytes.toString());
  }

  function fetched(traffic: Traffic): readonly string[] {
    return traffic.registry.filter((line) => line.startsWith("GET ") && line.includes(`/cache-${count}/blobs/`));
  }

  function warnings({ outcome }: Traffic): readonly string[] {
    return outcome.err.split("\n").filter((line) => line.includes("BuildCache"));
  }

  it.each(["min", "max"])("runs no step, and fetches the layers of the image alone (mode=%s)", async (mode) => {
    const before = await first(`mode=${mode}`);
    const machine = world.machine();
    const traffic = await built(machine, ["--cache-from", ref()]);
    expect(texts(machine)).toEqual(before);
    expect(machine.ok("images", "-q", "--no-trunc", "app")).toBe(firstId);
    // The document, and the layers of RUN, COPY --from and COPY.
    expect(fetched(traffic)).toHaveLength(4);
    expect(warnings(traffic)).toEqual([]);
    expect(machine.tare(["system", "fsck"]).code).toBe(0);
    const again = await built(machine, ["--cache-from", ref()]);
    expect(fetched(again)).toHaveLength(1);
    expect(texts(machine)).toEqual(before);
    // What came is this machine's own from then on; the other stage never came.
    await built(machine, []);
    expect(texts(machine).slice(1)).toEqual(before.slice(1));
  });

  it("runs a changed step and what stands on it, nothing else", async () => {
    const before = await first("mode=max");
    const machine = world.machine();
    const late = await built(machine, ["--cache-from", ref()], { late: "later\n" });
    expect(texts(machine)).toEqual([...before.slice(0, 3), "later"]);
    expect(late.outcome.err.match(/ CACHED$/gm)?.length).toBeGreaterThanOrEqual(5);
    const other = world.machine();
    await built(other, ["--cache-from", ref(), "--build-arg", "WHO=ann"]);
    const now = texts(other);
    expect([now[0], now[2], now[3]]).toEqual([before[0], before[2], before[3]]);
    expect(now[1]).not.toBe(before[1]);
  });

  it("with mode=min runs the steps of a stage again whose files are needed, with mode=max fetches them", async () => {
    const changed = (text: string): string => text.replace("/src/run-1 /", "/src/run-1 /src/run-2 /");
    const files = { Dockerfile: changed(dockerfile(base)) };
    const max = await first("mode=max");
    const machine = world.machine();
    await built(machine, ["--cache-from", ref()], files);
    expect(texts(machine)).toEqual(max);
    CACHE = `cache-${count}:min`;
    const min = await first("mode=min");
    const other = world.machine();
    const traffic = await built(other, ["--cache-from", ref()], files);
    const now = texts(other);
    expect(now[0]).not.toBe(min[0]);
    expect(now.slice(1)).toEqual(min.slice(1));
    expect(warnings(traffic)).toEqual([]);
  });

  it("pushes from a clean machine without fetching a layer, mounting what the cache has", async () => {
    const before = await first("mode=max");
    const machine = world.machine();
    const traffic = await build(machine, ["--push", "-t", `${world.registry.host}/${IMAGE}`, "--cache-from", ref()]);
    expect(traffic.outcome.code, traffic.outcome.err).toBe(0);
    expect(fetched(traffic)).toHaveLength(1);
    const mounted = traffic.registry.filter((line) => line.startsWith("POST ") && line.includes("mount="));
    expect(mounted.length).toBeGreaterThanOrEqual(3);
    const other = world.machine();
    expect((await other.tareAsync(["pull", "-q", `${world.registry.host}/${IMAGE}`])).code).toBe(0);
    other.ok("tag", `${world.registry.host}/${IMAGE}`, "app");
    expect(texts(other)).toEqual(before);
  });

  it("asks and sends next to nothing when a cache that did not change is written again", async () => {
    await first("mode=max");
    const machine = world.machine();
    const to = `type=registry,ref=${ref()},mode=max`;
    await built(machine, ["--cache-from", ref(), "--cache-to", to]);
    const before = manifestOf(CACHE);
    const again = await built(machine, ["--cache-from", ref(), "--cache-to", to]);
    expect(manifestOf(CACHE)).toEqual(before);
    expect(again.registry.filter((line) => /^(POST|PATCH|PUT)/.test(line))).toEqual([]);
  });

  it("is written anew without fetching a layer with `-o type=cacheonly`, and no image loses its name", async () => {
    const before = await first("mode=max");
    const machine = world.machine();
    machine.ok("build", "-t", "app", machine.files("small", { Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" }));
    const id = machine.ok("images", "-q", "app");
    const to = `type=registry,ref=${ref()},mode=max`;
    const traffic = await built(machine, ["-o", "type=cacheonly", "--cache-from", ref(), "--cache-to", to]);
    expect(fetched(traffic)).toHaveLength(1);
    expect(traffic.registry.filter((line) => /^(POST|PATCH|PUT)/.test(line))).toEqual([]);
    expect(machine.ok("images", "-q", "app")).toBe(id);
    const other = world.machine();
    await built(other, ["--cache-from", ref()]);
    expect(texts(other)).toEqual(before);
  });

  it("ends at once when it is interrupted while layers are fetched", async () => {
    await first("mode=max");
    const machine = world.machine();
    world.registry.intercept = ({ method, path }, response) => {
      if (method !== "GET" || !path.includes(`/cache-${count}/blobs/`)) return false;
      if (path.endsWith(manifestOf(CACHE).config.digest)) return false;
      response.writeHead(200, { "content-length": "100000" });
      response.write("x");
      return true;
    };
    try {
      const args = ["build", "--progress", "plain", "--secret", "id=token,env=TOKEN", "--cache-from", ref()];
      const child = machine.start([...args, context(machine)], { env: { ...machine.env, TOKEN: "t" } });
      const ended = once(child, "exit");
      while (!world.registry.log().some((line) => line.includes(`GET /v2/cache-${count}/blobs/`))) await sleep(50);
      await sleep(1000);
      child.kill("SIGINT");
      expect((await ended)[0]).toBe(130);
    } finally {
      world.registry.intercept = undefined;
    }
  });

  it("keeps its answers when a machine that ran nothing writes it again", async () => {
    const before = await first("mode=max");
    const text = (): string => String(world.registry.blobs.get(manifestOf(CACHE).config.digest));
    const keys = new Set(text().match(/"key":"[^"]+"/g));
    const next = CACHE.replace(":main", ":next");
    const to = `type=registry,ref=${world.registry.host}/${next},mode=max`;
    await built(world.machine(), ["--cache-from", ref(), "--cache-to", to]);
    CACHE = next;
    expect(new Set(text().match(/"key":"[^"]+"/g))).toEqual(keys);
    const last = world.machine();
    await built(last, ["--cache-from", ref()]);
    expect(texts(last)).toEqual(before);
  });

  it("has no secret, no argument, no path and no command in it", async () => {
    await first("mode=max");
    const { config, layers } = manifestOf(CACHE);
    const text = `${JSON.stringify(layers)}${String(world.registry.blobs.get(config.digest))}`;
    expect(text).not.toMatch(/s3cret-token|nobody|tmp|uuid|context|busybox/);
    expect(JSON.parse(String(world.registry.blobs.get(config.digest)))).toMatchObject({ version: 1 });
  });

  it("is not asked with --no-cache, and is a warning at most where there is none", async () => {
    await first();
    const clean = world.machine();
    const none = await built(clean, ["--no-cache", "--cache-from", ref()]);
    expect(none.registry.filter((line) => line.includes(`/cache-${count}/`))).toEqual([]);
    const machine = world.machine();
    const missing = `${world.registry.host}/nowhere:main`;
    const traffic = await built(machine, ["--cache-from", missing, "--cache-from", "127.0.0.1:1/closed:main"]);
    expect(traffic.outcome.err).toMatch(/there is none yet/);
    expect(warnings(traffic).filter((line) => line.includes("the build goes on without it"))).not.toEqual([]);
  });

  it("fails the build when it can't be written, unless ignore-error=true", async () => {
    const machine = world.machine();
    const failed = await build(machine, ["-t", "app", "--cache-to", "type=registry,ref=127.0.0.1:1/closed:main"]);
    expect(failed.outcome.code).not.toBe(0);
    expect(failed.outcome.err).toMatch(/error\[E_REGISTRY\].*writing the build cache `127.0.0.1:1\/closed:main`/s);
    expect(failed.outcome.err).toMatch(/ignore-error=true/);
    await built(machine, ["--cache-to", "type=registry,ref=127.0.0.1:1/closed:main,ignore-error=true"]);
  });

  it("is let in by the signature policy or not used", async () => {
    const before = await first("mode=max");
    const machine = world.machine();
    const key = join(machine.folder, "own");
    const env = { COSIGN_PASSWORD: "" };
    expect((await machine.tareAsync(["key", "generate", "-o", key], { env })).code).toBe(0);
    const repository = ref().replace(":main", "");
    const scopes = { [repository]: [{ type: "sigstoreSigned", keyPath: `${key}.pub` }] };
    const policy = join(machine.folder, "policy.json");
    const text = { default: [{ type: "insecureAcceptAnything" }], transports: { docker: scopes } };
    fs.writeFileSync(policy, JSON.stringify(text));
    const args = ["--signature-policy", policy, "--cache-from", ref()];
    const refused = await built(machine, args);
    expect(warnings(refused).join()).toMatch(/signature/);
    expect(texts(machine)[1]).not.toBe(before[1]);
    const signed = await machine.tareAsync(["sign", "--key", `${key}.key`, ref()], { env });
    expect(signed.code, signed.err).toBe(0);
    const other = world.machine();
    expect(warnings(await built(other, args))).toEqual([]);
    expect(texts(other)).toEqual(before);
  });

  it("does not take the image's own tag", async () => {
    const machine = world.machine();
    const name = `${world.registry.host}/${IMAGE}`;
    const { outcome } = await build(machine, ["--push", "-t", name, "--cache-to", `type=registry,ref=${name}`]);
    expect(outcome.err).toMatch(/error\[E_USAGE\].*the image is pushed to that tag/);
    expect(world.registry.manifests.has(IMAGE)).toBe(false);
  });

  describe("in a folder", () => {
    it("works at another place, keeps tags apart and drops what nothing names any more", async () => {
      const machine = world.machine();
      const folder = join(machine.folder, "cache");
      await built(machine, ["--cache-to", `type=local,dest=${folder},mode=max`]);
      const before = texts(machine);
      const blobs = (): number => fs.readdirSync(join(folder, "blobs/sha256")).length;
      const full = blobs();
      await built(machine, ["--cache-to", `type=local,dest=${folder},tag=other`], { late: "later\n" });
      await built(machine, ["--cache-to", `type=local,dest=${folder},mode=min`]);
      expect(blobs()).toBeLessThan(full + 3);
      const other = world.machine();
      const moved = join(other.folder, "moved");
      fs.renameSync(folder, moved);
      await built(other, ["--cache-from", `type=local,src=${moved}`]);
      expect(texts(other)).toEqual(before);
      const third = world.machine();
      await built(third, ["--cache-from", `type=local,src=${moved},tag=other`], { late: "later\n" });
      expect(texts(third)).toEqual([...before.slice(0, 3), "later"]);
      const sizes = (name: string): string => fs.readFileSync(join(moved, name), "utf8");
      expect(sizes("oci-layout")).toBe('{"imageLayoutVersion":"1.0.0"}');
    });

    it("goes on without what is damaged in it", async () => {
      const machine = world.machine();
      const folder = join(machine.folder, "cache");
      await built(machine, ["--cache-to", `type=local,dest=${folder},mode=max,compression=zstd`]);
      const index = JSON.parse(fs.readFileSync(join(folder, "index.json"), "utf8")) as { manifests: Descriptor[] };
      const blob = (digest: string): string => join(folder, "blobs/sha256", digest.replace("sha256:", ""));
      const manifest = parseManifest(fs.readFileSync(blob(index.manifests[0]?.digest ?? ""), "utf8"));
      for (const { digest, size } of manifest.layers) fs.writeFileSync(blob(digest), Buffer.alloc(size));
      const traffic = await built(world.machine(), ["--cache-from", `type=local,src=${folder}`]);
      expect(warnings(traffic)).toHaveLength(1);
      fs.rmSync(blob(manifest.config.digest));
      const next = await built(world.machine(), ["--cache-from", `type=local,src=${folder}`]);
      expect(warnings(next)).toHaveLength(1);
    });
  });

  describe("that lies", () => {
    let before: readonly string[] = [];
    let manifest: Manifest;
    let document: { layers: { diffId: string; size?: number }[]; records: { key: string; layers: string[] }[] };
    beforeEach(async () => {
      before = await first("mode=max");
      manifest = manifestOf(CACHE);
      document = JSON.parse(String(world.registry.blobs.get(manifest.config.digest))) as typeof document;
    });

    function tell(value: unknown): void {
      const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
      world.registry.manifests.set(CACHE, { bytes, mediaType: "application/vnd.oci.image.manifest.v1+json" });
    }
    function tellDocument(value: unknown): void {
      const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
      const digest = digestOf(bytes);
      world.registry.blobs.set(digest, bytes);
      world.registry.owners.set(digest, new Set([`cache-${count}`]));
      tell({ ...manifest, config: { ...manifest.config, digest, size: bytes.length } });
    }
    const OTHER = `sha256:${"5".repeat(64)}`;

    it.each<readonly [string, () => void, number]>([
      ["is no JSON", () => tell(Buffer.from("{nonsense")), 1],
      ["is huge", () => tell(Buffer.alloc(5 << 20, " ")), 1],
      ["is an image", () => tell(manifestOf("busybox:1")), 1],
      [
        "is BuildKit's",
        () => tell({ ...manifest, artifactType: undefined, config: { ...manifest.config, mediaType: BUILDKIT } }),
        1,
      ],
      ["has a document that is none", () => tellDocument({ version: 1, layers: {} }), 1],
      ["has a document of a later version", () => tellDocument({ ...document, version: 2 }), 1],
      ["has a huge document", () => tellDocument(Buffer.alloc(5 << 20, " ")), 1],
      ["has fewer layers than it says", () => tell({ ...manifest, layers: manifest.layers.slice(1) }), 1],
      ["has no records", () => tellDocument({ ...document, records: ["x", { key: 1 }] }), 0],
      [
        "names blobs that are not there",
        () => tell({ ...manifest, layers: manifest.layers.map((layer, at) => ({ ...layer, digest: fake(at) })) }),
        1,
      ],
      [
        "gives other sizes",
        () => tell({ ...manifest, layers: manifest.layers.map((layer) => ({ ...layer, size: layer.size + 1 })) }),
        1,
      ],
      [
        "gives huge sizes",
        () => tell({ ...manifest, layers: manifest.layers.map((layer) => ({ ...layer, size: 1e15 })) }),
        1,
      ],
      ["exchanges its layers", () => tell({ ...manifest, layers: manifest.layers.toReversed() }), 1],
      [
        "gives two answers for a key",
        () =>
          tellDocument({
            ...document,
            records: [...document.records, ...document.records.map(({ key }) => ({ key, layers: [OTHER] }))],
          }),
        0,
      ],
      [
        "gives other diffIDs",
        () =>
          tellDocument({
            ...document,
            layers: document.layers.map((layer, at) => ({ ...layer, diffId: fake(at) })),
            records: document.records.map(({ key, layers }) => ({
              key,
              layers: layers.map((each) => fake(document.layers.findIndex(({ diffId }) => diffId === each))),
            })),
          }),
        1,
      ],
    ])("(%s) costs time and a warning at most", async (_, lie, expected) => {
      lie();
      const machine = world.machine();
      const traffic = await built(machine, ["--cache-from", ref()]);
      expect(warnings(traffic)).toHaveLength(expected);
      expect(texts(machine).slice(2)).toEqual(before.slice(2));
      expect(texts(machine)[0]).not.toBe(before[0]);
      expect(machine.tare(["system", "fsck"]).code).toBe(0);
    });

    it.each<readonly [string, (layer: Descriptor, at: number) => Descriptor]>([
      ["blobs that are not there", (layer, at) => ({ ...layer, digest: parseDigest(fake(at)) })],
      ["other sizes", (layer) => ({ ...layer, size: layer.size + 1 })],
    ])("about %s is found before an image is pushed with them, and not written again", async (_, change) => {
      tell({ ...manifest, layers: manifest.layers.map(change) });
      const machine = world.machine();
      const next = `${world.registry.host}/next-${count}:main`;
      const name = `${world.registry.host}/${IMAGE}`;
      const to = `type=registry,ref=${next},mode=max`;
      const traffic = await build(machine, ["--push", "-t", name, "--cache-from", ref(), "--cache-to", to]);
      expect(traffic.outcome.code, traffic.outcome.err).toBe(0);
      expect(warnings(traffic)).toHaveLength(1);
      const blobs = [...manifestOf(IMAGE).layers, ...manifestOf(`next-${count}:main`).layers];
      for (const { digest, size } of blobs) expect(world.registry.blobs.get(digest)?.length).toBe(size);
    });

    function fake(at: number): string {
      return `sha256:${String(at).padStart(64, "7")}`;
    }
  });
});

const noRegistry = reason ?? whyNoRegistry();
if (noRegistry !== undefined) console.log(`skipped: build caches at Debian's docker-registry: ${noRegistry}`);

describe.skipIf(noRegistry !== undefined)("at Debian's docker-registry", () => {
  let machines: ProgramWorld[] = [];
  let peers: RegistryPeer[] = [];
  let folder = "";
  beforeAll(async () => {
    machines = ["a", "b", "c"].map((name) => openProgramWorld(`cache-${name}`));
    folder = machines[0]?.folder ?? "";
    peers = [await startRegistry(join(folder, "one")), await startRegistry(join(folder, "two"))];
  });
  afterAll(async () => {
    for (const peer of peers) await peer.stop();
    for (const machine of machines) machine.close();
  });

  it("outlives a collection of garbage, and reaches an image of another registry", async () => {
    const [a, b, c] = machines;
    const [one, two] = peers;
    if (!a || !b || !c || !one || !two) throw new Error("three machines, two registries");
    addBusyboxImage(a);
    const base = `${one.host}/busybox:1`;
    a.ok("tag", "busybox", base);
    a.ok("push", base);
    const ref = `${one.host}/team/cache:main`;
    const contextOf = (machine: ProgramWorld): string =>
      machine.files("context", { Dockerfile: dockerfile(base), source: "the source\n", late: "late\n" });
    a.ok("build", "-t", "app", "--cache-to", `type=registry,ref=${ref},mode=max,compression=zstd`, contextOf(a));
    const before = a.ok("run", "--rm", "app");
    await one.stop();
    const collected = spawnSync("docker-registry", ["garbage-collect", join(folder, "one/config.yml")]);
    expect(collected.status, String(collected.stderr)).toBe(0);
    const again = await startRegistry(join(folder, "one"), { port: one.port, storage: one.storage });
    peers = [again, two];
    b.ok("build", "-t", "app", "--cache-from", `type=registry,ref=${ref}`, contextOf(b));
    expect(b.ok("run", "--rm", "app")).toBe(before);
    const image = `${two.host}/app:1`;
    c.ok("build", "--push", "-t", image, "--cache-from", ref, contextOf(c));
    expect(c.ok("images", "-q")).toBe("");
    expect(c.ok("run", "--rm", image)).toBe(before);
    c.ok("copy", ref, `oci:${c.folder}/copied:latest`);
    b.ok("build", "--no-cache", "-t", "other", contextOf(b));
    expect(b.ok("run", "--rm", "other")).not.toBe(before);
    b.ok("system", "prune", "-a", "-f");
    b.ok("build", "-t", "app", "--cache-from", `type=local,src=${c.folder}/copied`, contextOf(b));
    expect(b.ok("run", "--rm", "app")).toBe(before);
  });
});

const BUILDKIT = "application/vnd.buildkit.cacheconfig.v0";

describe("a project without a Dockerfile", () => {
  let world: RemoteWorld;
  const wheels: ServedWheel[] = [];
  beforeAll(async () => {
    world = await RemoteWorld.open();
    for (const name of ["first", "second"]) wheels.push(world.wheel(name, "1.0"));
  });
  afterAll(() => world.close());

  it("fetches no wheel that is in a layer of the cache", async () => {
    const ref = `${world.registry.host}/cache:main`;
    const machine = world.machine();
    const build = (on: ProgramWorld, ...args: readonly string[]): Promise<Traffic> =>
      world.watch(() => on.tareAsync(["build", "--progress", "plain", ...args, world.project(on, wheels)]));
    const made = await build(machine, "-t", "app", "--cache-to", `type=registry,ref=${ref}`);
    expect(made.outcome.code, made.outcome.err).toBe(0);
    expect(made.index).toHaveLength(2);
    const id = machine.ok("images", "-q", "--no-trunc", "app");
    const clean = world.machine();
    const warm = await build(clean, "-t", "app", "--cache-from", ref);
    expect(warm.outcome.code, warm.outcome.err).toBe(0);
    expect(warm.index).toEqual([]);
    expect(clean.ok("images", "-q", "--no-trunc", "app")).toBe(id);
    expect(clean.tare(["system", "fsck"]).code).toBe(0);
    const pushing = world.machine();
    const pushed = await build(pushing, "--push", "-t", `${world.registry.host}/elsewhere:1`, "--cache-from", ref);
    expect(pushed.outcome.code, pushed.outcome.err).toBe(0);
    expect(pushed.index).toEqual([]);
    // A machine that is not told of the cache profits too.
    const next = await build(world.machine(), "--push", "-t", `${world.registry.host}/elsewhere:2`);
    expect(next.index).toEqual([]);
    // What was left at the registry is in a cache that is written there, too.
    const to = `${world.registry.host}/cache-2:main`;
    const last = world.machine();
    expect((await build(last, "--push", "-t", `${world.registry.host}/elsewhere:3`, "--cache-to", to)).index).toEqual(
      [],
    );
    const blobs = (name: string): readonly string[] =>
      parseManifest(String(world.registry.manifests.get(name)?.bytes)).layers.map(({ digest }) => digest);
    expect(blobs("cache-2:main")).toEqual(blobs("cache:main"));
    expect((await clean.tareAsync(["pull", "-q", `${world.registry.host}/elsewhere:1`])).code).toBe(0);
    expect(clean.ok("images", "-q", "--no-trunc", `${world.registry.host}/elsewhere`)).toBe(id);
  });
});
