// SPDX-License-Identifier: Apache-2.0
/* A machine without anything pushes an image whose layers the registry has: nothing of them crosses it. */
import * as fs from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseImageConfig, parseManifest } from "../../src/oci/index.ts";
import type { Descriptor, Manifest } from "../../src/oci/index.ts";
import type { ProgramWorld } from "../support/program.ts";
import { RemoteWorld } from "../support/remote-world.ts";
import type { ServedWheel, Traffic } from "../support/remote-world.ts";

/** The image and the memo of the test's own repository. */
let [IMAGE, MEMO] = ["", ""];

let world: RemoteWorld;
let first: ServedWheel;
let second: ServedWheel;

/** Large enough for a layer of its own, which is 1 MiB. */
function large(name: string, version: string): ServedWheel {
  let text = "";
  for (let state = 1; text.length < 1_800_000; state = (state * 48271) % 2147483647) text += state.toString(36);
  return world.wheel(name, version, `${text}\n# ${name} ${version}\n`);
}

beforeAll(async () => {
  world = await RemoteWorld.open();
  first = large("first", "1.0");
  second = large("second", "1.0");
});
afterAll(() => world.close());
/** A repository that nobody pushed to. */
function useNewRepository(): void {
  const repository = world.newRepository();
  [IMAGE, MEMO] = [`${repository}:1`, `${repository}:tare-wheels`];
}

function bytesOf(name: string): Buffer {
  const stored = world.registry.manifests.get(name);
  if (!stored) throw new Error(`no manifest ${name}`);
  return stored.bytes;
}

function manifestOf(name: string): Manifest {
  return parseManifest(bytesOf(name).toString());
}

/** diffIDs of the image. */
function diffIds(): readonly string[] {
  const config = world.registry.blobs.get(manifestOf(IMAGE).config.digest);
  return parseImageConfig(String(config)).rootfs.diff_ids;
}

/** Builds and pushes on a new machine. */
async function pushAnew(wheels: readonly ServedWheel[], more = "", ...args: readonly string[]): Promise<Traffic> {
  const machine = world.machine();
  return succeeded(await world.push(machine, world.project(machine, wheels, more), ...args));
}

/** How many layers of a store are not unpacked. */
function withoutTree(machine: ProgramWorld): number {
  const layers = join(machine.root, "v1/layers");
  return fs.readdirSync(layers).filter((name) => !fs.existsSync(join(layers, name, "tree"))).length;
}

function succeeded(traffic: Traffic): Traffic {
  expect(traffic.outcome.err).not.toMatch(/error\[/);
  expect(traffic.outcome.code).toBe(0);
  return traffic;
}

function heads(traffic: Traffic): readonly string[] {
  return traffic.registry.filter((line) => line.startsWith("HEAD ") && line.includes("/blobs/"));
}

describe("a clean machine", () => {
  beforeEach(useNewRepository);

  it("fetches no wheel and no layer, sends nothing that is there, and makes the same image", async () => {
    const made = await pushAnew([first, second]);
    expect(made.index).toHaveLength(2);
    const before = bytesOf(IMAGE);
    const traffic = await pushAnew([first, second]);
    console.log(`known wheels, clean machine: ${traffic.milliseconds} ms, ${traffic.registry.length} requests`);
    expect(traffic.index).toEqual([]);
    expect(bytesOf(IMAGE)).toEqual(before);
    const { layers, config } = manifestOf(IMAGE);
    const asked = [...layers, config].map(({ digest }) => `HEAD /v2/${world.repository}/blobs/${digest}`);
    expect(heads(traffic).toSorted()).toEqual(asked.toSorted());
    expect(traffic.registry.filter((line) => /^(POST|PATCH|PUT)/.test(line))).toEqual([
      `PUT /v2/${world.repository}/manifests/1`,
    ]);
    expect(traffic.sent).toBe(before.length);
  });

  it("unpacks no wheel to push it, keeps the image, and pushes what build and push one after the other do", async () => {
    const machine = world.machine();
    const folder = world.project(machine, [first, second]);
    succeeded(await world.push(machine, folder));
    const sent = bytesOf(IMAGE);
    expect(withoutTree(machine)).toBe(2);
    expect(machine.ok("images", "--format", "{{.Repository}}")).toContain(world.repository);
    useNewRepository();
    const name = `${world.registry.host}/${IMAGE}`;
    expect((await machine.tareAsync(["build", "--no-cache", "-t", name, folder])).code).toBe(0);
    expect((await machine.tareAsync(["push", name])).code).toBe(0);
    expect(bytesOf(IMAGE)).toEqual(sent);
    expect(machine.ok("system", "fsck")).not.toMatch(/damaged|missing/);
  });

  it("refuses a wheel that lies, and sends nothing of it", async () => {
    const machine = world.machine();
    const folder = world.project(machine, [{ ...first, fileName: "first-9.9-py3-none-any.whl", version: "9.9" }]);
    const traffic = await world.push(machine, folder);
    expect(traffic.outcome.code).not.toBe(0);
    expect(traffic.outcome.err).toMatch(/error\[E_WHEEL\]/);
    expect(traffic.registry.filter((line) => /^(POST|PATCH|PUT)/.test(line))).toEqual([]);
  });

  it("fetches nothing of the base either when another machine built first and pushed then", async () => {
    const machine = world.machine();
    const name = `${world.registry.host}/${IMAGE}`;
    expect((await machine.tareAsync(["build", "-t", name, world.project(machine, [first])])).code).toBe(0);
    expect((await machine.tareAsync(["push", name])).code).toBe(0);
    const traffic = await pushAnew([first]);
    expect(traffic.index).toEqual([]);
    const layers = manifestOf("base:1").layers.map(({ digest }) => digest);
    expect(
      traffic.registry.filter((line) => line.startsWith("GET ") && layers.some((each) => line.includes(each))),
    ).toEqual([]);
  });

  it("sends changed sources, config and manifest only", async () => {
    await pushAnew([first, second]);
    const before = new Set(world.registry.blobs.keys());
    const machine = world.machine();
    const folder = world.project(machine, [first, second]);
    fs.writeFileSync(join(folder, "main.py"), "print('changed')\n");
    const traffic = succeeded(await world.push(machine, folder));
    const { layers, config } = manifestOf(IMAGE);
    const fresh = [...layers, config].filter(({ digest }) => !before.has(digest));
    expect(fresh).toHaveLength(2);
    expect(traffic.index).toEqual([]);
    expect(traffic.sent).toBe(sizeOf(fresh) + bytesOf(IMAGE).length);
  });

  it("fetches and sends the one wheel that is new", async () => {
    await pushAnew([first, second]);
    const before = new Set(world.registry.blobs.keys());
    const changed = large("second", "1.1");
    const traffic = await pushAnew([first, changed]);
    expect(traffic.index).toEqual([`GET /${changed.fileName}`]);
    const { layers, config } = manifestOf(IMAGE);
    const fresh = [...layers, config].filter(({ digest }) => !before.has(digest));
    expect(fresh).toHaveLength(2);
    // The repository's memo learns of the layer.
    expect(traffic.sent).toBe(sizeOf(fresh) + bytesOf(IMAGE).length + bytesOf(MEMO).length);
    expect((await pushAnew([first, changed])).index).toEqual([]);
  });

  it("takes the name from an older image of its store, and pulls what it runs", async () => {
    const [name, machine] = [`${world.registry.host}/${IMAGE}`, world.machine()];
    const folder = world.project(machine, [first]);
    succeeded(await world.watch(() => machine.tareAsync(["build", "-t", name, folder])));
    expect(machine.ok("images", "-q")).not.toBe("");
    await pushAnew([first, second]);
    world.project(machine, [first, second]);
    expect(succeeded(await world.push(machine, folder)).index).toEqual([]);
    expect(machine.ok("images", "--format", "{{.Repository}}")).not.toContain(world.repository);
    succeeded(await world.watch(() => machine.tareAsync(["pull", name])));
    expect(machine.ok("images", "--format", "{{.Repository}}")).toContain(world.repository);
    expect(machine.tare(["system", "fsck"]).code).toBe(0);
  });

  it("has everything here when the image is wanted here too", async () => {
    await pushAnew([first, second]);
    const machine = world.machine();
    const name = `${world.registry.host}/${IMAGE}`;
    const outputs = ["-o", `type=image,name=${name},push=true`, "-o", `type=oci,dest=${machine.folder}/app.tar`];
    const folder = world.project(machine, [first, second]);
    const traffic = await world.watch(() => machine.tareAsync(["build", ...outputs, folder]));
    expect(succeeded(traffic).index).toHaveLength(2);
    expect(machine.ok("images", "-q")).not.toBe("");
  });

  it("makes what it knows when `--no-cache` is given", async () => {
    await pushAnew([first, second]);
    expect((await pushAnew([first, second], "", "--no-cache")).index).toHaveLength(2);
  });
});

describe("facts in a lock", () => {
  beforeEach(useNewRepository);

  it("are as good as a memo, and are believed before one", async () => {
    const machine = world.machine();
    const folder = world.project(machine, [first, second]);
    const built = await machine.tareAsync(["build", "-q", "--lock-facts", "-t", "app", folder]);
    expect(built.err).not.toMatch(/error\[/);
    const lock = fs.readFileSync(join(folder, "pylock.toml"), "utf8");
    expect(lock.match(/^\[\[tool\.tare\.layers\]\]$/gm)).toHaveLength(2);
    succeeded(await world.push(machine, folder));
    const right = diffIds();
    world.registry.manifests.delete(MEMO);
    const facts = lock.slice(lock.indexOf("[[tool.tare.layers]]"));
    expect((await pushAnew([first, second], `\n${facts}`)).index).toEqual([]);
    expect(diffIds()).toEqual(right);
    const wrong = lieAboutLayers((layer) => ({
      ...layer,
      annotations: { ...layer.annotations, "dev.tare.wheels.diff-id": OTHER },
    }));
    wrong();
    lie((manifest) => ({ ...manifest, layers: manifest.layers.slice(0, 1) }));
    expect((await pushAnew([first, second], `\n${facts}`)).index).toEqual([]);
    expect(diffIds()).toEqual(right);
  });

  describe("of layers that the registry lacks", () => {
    let facts = "";
    let right: Manifest;
    let rightDiffIds: readonly string[] = [];
    beforeAll(async () => {
      useNewRepository();
      const machine = world.machine();
      const folder = world.project(machine, [first, second]);
      expect((await machine.tareAsync(["build", "-q", "--lock-facts", "-t", "app", folder])).code).toBe(0);
      const lock = fs.readFileSync(join(folder, "pylock.toml"), "utf8");
      facts = `\n${lock.slice(lock.indexOf("[[tool.tare.layers]]"))}`;
      succeeded(await world.push(machine, folder));
      [right, rightDiffIds] = [manifestOf(IMAGE), diffIds()];
    });

    it("save measuring them: their blobs are made and sent, the image is the same, and is pulled to be run", async () => {
      const machine = world.machine();
      const traffic = succeeded(await world.push(machine, world.project(machine, [first, second], facts)));
      expect(traffic.index).toHaveLength(2);
      expect(manifestOf(IMAGE)).toEqual(right);
      expect(diffIds()).toEqual(rightDiffIds);
      const layers = fs.readdirSync(join(machine.root, "v1/layers"));
      for (const diffId of rightDiffIds.slice(1, 3)) expect(layers).not.toContain(diffId.replace("sha256:", ""));
      expect(machine.ok("images", "--format", "{{.Repository}}")).not.toContain(world.repository);
      succeeded(await world.watch(() => machine.tareAsync(["pull", `${world.registry.host}/${IMAGE}`])));
      expect(machine.tare(["system", "fsck"]).code).toBe(0);
      expect((await pushAnew([first, second])).index).toEqual([]);
    });

    it("and that takes its time get each blob once", async () => {
      world.registry.intercept = async (request) => {
        if (request.method === "PUT" && request.path.includes("/blobs/uploads/")) await sleep(400);
        return false;
      };
      const traffic = await pushAnew([first, second], facts).finally(() => (world.registry.intercept = undefined));
      const sent = traffic.registry.flatMap((line) => /^PUT .*[?&]digest=([^&]+)/.exec(line)?.[1] ?? []);
      expect(sent.length).toBeGreaterThan(4);
      expect(new Set(sent).size).toBe(sent.length);
    });

    it("are not used when the blob is another than they say", async () => {
      const other = facts.replaceAll(/^blob = .*$/gm, `blob = "${OTHER}"`);
      expect((await pushAnew([first, second], other)).index).toHaveLength(2);
      expect(manifestOf(IMAGE)).toEqual(right);
    });

    it("that lie about a diffID make an image that nobody takes, and one error where the layer is made", async () => {
      const [name, machine] = [`${world.registry.host}/${IMAGE}`, world.machine()];
      const folder = world.project(machine, [first, second], facts.replace(/^diff-id = .*$/m, `diff-id = "${OTHER}"`));
      succeeded(await world.push(machine, folder));
      expect(diffIds()).not.toEqual(rightDiffIds);
      expect((await world.machine().tareAsync(["pull", name])).err).toMatch(/error\[E_DIGEST_MISMATCH\]/);
      const build = (): Promise<Traffic> => world.watch(() => machine.tareAsync(["build", "-t", name, folder]));
      expect((await build()).outcome.err).toMatch(/error\[E_LAYER_CLAIM\]/);
      succeeded(await build());
    });
  });

  it("want a pylock.toml", async () => {
    const machine = world.machine();
    const folder = machine.files("none", { "main.py": "", "pyproject.toml": "[tool.tare]\nbase='x'\n" });
    fs.writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
    const { err } = await machine.tareAsync(["build", "--lock-facts", folder]);
    expect(err).toMatch(/error\[E_USAGE\].*pylock\.toml/);
  });
});

function sizeOf(descriptors: readonly Descriptor[]): number {
  return descriptors.reduce((sum, { size }) => sum + size, 0);
}

/** Changes the memo; `change` gets its manifest as JSON. */
function lie(change: (manifest: Manifest) => unknown): void {
  tell(change(manifestOf(MEMO)));
}

/** Writes a memo, or what shall look like one. */
function tell(value: unknown): void {
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
  world.registry.manifests.set(MEMO, { bytes, mediaType: "application/vnd.oci.image.manifest.v1+json" });
}

function lieAboutLayers(change: (layer: Descriptor) => unknown): () => void {
  return () => lie((manifest) => ({ ...manifest, layers: manifest.layers.map(change) }));
}

const OTHER = `sha256:${"5".repeat(64)}`;

describe("a memo that lies", () => {
  let right: readonly string[];
  let memo: Buffer;
  beforeAll(async () => {
    useNewRepository();
    await pushAnew([first, second]);
    right = diffIds();
    memo = bytesOf(MEMO);
  });
  beforeEach(() => tell(memo));

  it.each<readonly [string, () => void, RegExp | undefined]>([
    ["is no JSON", () => tell(Buffer.from("{nonsense")), /WheelMemo: .*memo is left as it is/],
    ["is huge", () => tell(Buffer.alloc(5 << 20, " ")), /WheelMemo: .*memo is left as it is/],
    ["is an image", () => tell(manifestOf(IMAGE)), /WheelMemo: .*no memo of wheel layers/],
    ["names blobs that are not there", lieAboutLayers((layer) => ({ ...layer, digest: OTHER })), undefined],
    ["gives other sizes", lieAboutLayers((layer) => ({ ...layer, size: layer.size + 1 })), undefined],
    [
      "gives other kinds",
      lieAboutLayers((layer) => ({ ...layer, mediaType: "application/vnd.oci.image.layer.v1.tar+zstd" })),
      undefined,
    ],
    [
      "has annotations that are none",
      lieAboutLayers((layer) => ({ ...layer, annotations: { "dev.tare.wheels.key": "x" } })),
      undefined,
    ],
    [
      "gives one blob to all layers",
      () =>
        lie((manifest) => ({
          ...manifest,
          layers: manifest.layers.map((layer) => ({ ...manifest.layers[0], annotations: layer.annotations })),
        })),
      undefined,
    ],
  ])("is not used: it %s", async (_name, change, warning) => {
    change();
    const traffic = await pushAnew([first, second]);
    expect(traffic.index).toHaveLength(2);
    expect(diffIds()).toEqual(right);
    if (warning) expect(traffic.outcome.err).toMatch(warning);
  });

  it("about a diffID makes an image that nobody takes, and one error where the layer is made", async () => {
    const annotations = { "dev.tare.wheels.diff-id": OTHER };
    lieAboutLayers((layer) => ({ ...layer, annotations: { ...layer.annotations, ...annotations } }))();
    const wrong = manifestOf(MEMO).layers.slice(0, 1);
    lie((manifest) => ({ ...manifest, layers: wrong }));
    const [name, machine, other] = [`${world.registry.host}/${IMAGE}`, world.machine(), world.machine()];
    const folder = world.project(machine, [first, second]);
    succeeded(await world.push(machine, folder));
    expect(diffIds()).not.toEqual(right);
    const pulled = await other.tareAsync(["pull", name]);
    expect(pulled.err).toMatch(/error\[E_DIGEST_MISMATCH\]/);
    expect(other.ok("images", "-q")).toBe("");
    const build = (): Promise<Traffic> => world.watch(() => machine.tareAsync(["build", "-t", name, folder]));
    expect((await build()).outcome.err).toMatch(/error\[E_LAYER_CLAIM\].*\n(.*\n)*hint: the claim is forgotten/);
    succeeded(await build());
    // What was made here counts from now on, here and in the memo.
    succeeded(await world.push(machine, folder));
    expect(diffIds()).toEqual(right);
    expect((await pushAnew([first, second])).index).toEqual([]);
    expect(diffIds()).toEqual(right);
  });

  it("about a base is found out when the base is fetched", async () => {
    lie((manifest) => {
      const text = JSON.stringify(manifest).replaceAll(
        String.raw`\"version\":\"3.11.9\"`,
        String.raw`\"version\":\"3.11.1\"`,
      );
      return JSON.parse(text) as unknown;
    });
    const machine: ProgramWorld = world.machine();
    const folder = world.project(machine, [first, second]);
    fs.appendFileSync(join(folder, "pyproject.toml"), 'packages = ["hello"]\n');
    const failed = await world.push(machine, folder);
    expect(failed.outcome.err).toMatch(/error\[E_LAYER_CLAIM\].*memo/);
  });
});

describe("a base of a Dockerfile", () => {
  beforeEach(useNewRepository);

  it("stays where it is when no step looks at its files, and is pulled when one does", async () => {
    const base = `${world.registry.host}/base:1`;
    const [layer] = manifestOf("base:1").layers;
    const machine = world.machine();
    const labelled = machine.files("labelled", { Dockerfile: `FROM ${base}\nLABEL a=b\nCMD ["x"]\n` });
    const traffic = succeeded(await world.push(machine, labelled));
    expect(traffic.registry).not.toContain(`GET /v2/base/blobs/${layer?.digest}`);
    expect(traffic.registry.some((line) => line.includes("mount=") && line.includes("from=base"))).toBe(true);
    expect(fs.readdirSync(join(machine.root, "v1/layers"))).toEqual([]);
    const copied = machine.files("copied", { Dockerfile: `FROM ${base}\nCOPY Dockerfile /home/\n` });
    const second = succeeded(await world.push(machine, copied));
    expect(second.registry).toContain(`GET /v2/base/blobs/${layer?.digest}`);
    expect(manifestOf(IMAGE).layers[0]).toEqual(layer);
    expect(machine.ok("images", "--format", "{{.Repository}}")).toContain(world.repository);
  });
});

describe("the registry", () => {
  beforeEach(useNewRepository);

  it("gets no memo in place of an image of that name, and still gets the image", async () => {
    world.registry.intercept = (request, response) => {
      if (request.method !== "PUT" || !request.path.endsWith("/manifests/tare-wheels")) return false;
      response.writeHead(403, { "content-type": "application/json" }).end('{"errors":[{"code":"DENIED"}]}');
      return true;
    };
    const traffic = await pushAnew([first]);
    expect(traffic.outcome.err).toMatch(/WheelMemo: the image is pushed, the memo of its wheel layers is not/);
    expect(world.registry.manifests.has(IMAGE)).toBe(true);
  });

  it("is asked for images only when all tags are pulled", async () => {
    await pushAnew([first]);
    const cache = { ...manifestOf(IMAGE), config: { mediaType: "application/vnd.other+json", digest: OTHER, size: 2 } };
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    world.registry.manifests.set(`${world.repository}:cache`, { bytes: Buffer.from(JSON.stringify(cache)), mediaType });
    const machine = world.machine();
    const pulled = await machine.tareAsync(["pull", "-a", `${world.registry.host}/${world.repository}`]);
    expect(pulled.err).not.toMatch(/error\[/);
    expect(machine.ok("images", "--format", "{{.Tag}}")).toBe("1");
  });
});
