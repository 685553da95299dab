// SPDX-License-Identifier: Apache-2.0
/* `tare bundle`: to a store that never had anything of it, where the project builds without a network. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeRegistry } from "../../src/registry/fixture.ts";
import { whyNoBusybox } from "../support/bases.ts";
import { PROGRAM, openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { addPythonBase, whyNoPythonBase } from "../support/python-base.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { IndexPeer } from "../support/wheel-index.ts";
import { fetchWheels, whyNoWheels } from "../support/wheels.ts";

const canCut = spawnSync("unshare", ["--net", "true"]).status === 0;
const reason =
  whyNoBusybox() ??
  (canCut ? undefined : "a network namespace can't be made here") ??
  whyNoPythonBase() ??
  whyNoWheels();
if (reason !== undefined) console.log(`skipped: bundles: ${reason}`);
const hasSkopeo = spawnSync("skopeo", ["--version"]).status === 0;
if (!hasSkopeo) console.log("skipped: bundles for other tools: skopeo is not installed");

/** The manifest that a store's image has at a registry. */
async function pushed(world: ProgramWorld, image: string): Promise<unknown> {
  const registry = await FakeRegistry.open();
  try {
    const name = `${registry.host}/${image}:1`;
    world.ok("tag", image, name);
    expect(await world.tareAsync(["push", "-q", name])).toMatchObject({ code: 0 });
    return JSON.parse(String(registry.manifests.get(`${image}:1`)?.bytes));
  } finally {
    await registry.close();
  }
}

function sumOf(path: string): string {
  return spawnSync("sha256sum", [path]).stdout.toString().slice(0, 64);
}

/** Other bytes in the place of a blob's, as many as they were. */
function damage(path: string): void {
  const { size } = fs.statSync(path);
  fs.chmodSync(path, 0o600);
  fs.writeFileSync(path, Buffer.alloc(size));
}

/** A lock of one wheel, with an address where nothing listens. */
function lockOf(wheel: string): string {
  const fileName = wheel.split("/").at(-1) ?? "";
  const [name = "", version = ""] = fileName.split("-");
  const sum = sumOf(wheel);
  const { size } = fs.statSync(wheel);
  return [
    'lock-version = "1.0"\ncreated-by = "test"\n\n[[packages]]\n',
    `name = "${name}"\nversion = "${version}"\n`,
    `wheels = [{ url = "https://files.example/${fileName}", size = ${size}, hashes = { sha256 = "${sum}" } }]\n`,
  ].join("");
}

describe.skipIf(reason !== undefined)("a bundle", () => {
  let world: ProgramWorld;
  let other: ProgramWorld;
  let index: IndexPeer;
  let archive = "";
  beforeAll(async () => {
    world = openProgramWorld("bundle");
    other = openProgramWorld("bundle-to");
    addPythonBase(world);
    index = await startIndex(await fetchWheels(["numpy", "six", "uv"]));
    archive = join(world.folder, "app.bundle");
  });
  afterAll(async () => {
    await index.stop();
    for (const one of [world, other]) one.close();
  });

  /** A build in the other store, without a network and without the first one's settings. */
  const cut = (...args: readonly string[]): Outcome => {
    const options = { env: other.env, cwd: other.folder, maxBuffer: 1 << 28, encoding: "utf8" } as const;
    const child = spawnSync("unshare", ["--net", PROGRAM, "build", ...args], options);
    return { code: child.status ?? 128, out: child.stdout, err: child.stderr };
  };

  it("carries base, wheels and lock: the same image is built without a network, and runs", async () => {
    const [wheel = ""] = await fetchWheels(["six"]);
    const files = { "pylock.toml": lockOf(wheel), "main.py": "import six\nprint(six.__name__)\n" };
    const folder = world.files("locked", files);
    // The lock's address does not answer: the wheel is here already, as after any earlier use of it.
    const warm = world.files("warm", { "requirements.txt": "six\n", "main.py": "import six\n" });
    for (const [name, place] of [
      ["warm", warm],
      ["app", folder],
    ]) {
      const built = world.tare(["build", "-q", "-t", name ?? "", place ?? ""], { env: index.env });
      expect(built).toMatchObject({ code: 0, err: "" });
    }
    const said = world.ok("bundle", "--progress", "quiet", "app", "--lock", join(folder, "pylock.toml"), "-o", archive);
    expect(said).toContain("Bundled image: app:latest\nBundled image: python:3.11-slim\nBundled wheels: 2 (");
    expect(said).toContain("Bundled file: pylock.toml\nBundled without proof: ");
    const there = other.files("project", { "main.py": files["main.py"] });
    const loaded = other.ok("bundle", "--progress", "quiet", "--load", archive, "--to", there);
    expect(loaded).toContain("Loaded image: app:latest\nLoaded image: python:3.11-slim\n");
    expect(loaded).toContain("Written file: pylock.toml");
    expect(loaded).not.toContain("without proof");
    const id = world.ok("inspect", "--format", "{{.Id}}", "app");
    other.ok("rmi", "app");
    const built = cut("-q", "-t", "app", there);
    expect(built).toMatchObject({ code: 0, err: "", out: `${id}\n` });
    expect(other.ok("run", "--rm", "--network", "none", "app")).toBe("six");
  });

  /** Builds without a network, a runtime for containers and readable wheels: nothing is compiled, nothing inflated. */
  const quick = (...args: readonly string[]): Outcome => cut("-q", "--runtime", "/nowhere", ...args);

  it("spares compiling and reading the wheels where the lock says which layers they are", async () => {
    const [wheel = ""] = await fetchWheels(["numpy"]);
    const files = { "pylock.toml": lockOf(wheel), "main.py": "import numpy\n" };
    const folder = world.files("facts", files);
    const warm = world.files("warm-numpy", { "requirements.txt": "numpy\n", "main.py": "import numpy\n" });
    for (const args of [
      ["-t", "warm", warm],
      ["-t", "facts", "--lock-facts", folder],
    ]) {
      expect(world.tare(["build", "-q", ...args], { env: index.env })).toMatchObject({ code: 0, err: "" });
    }
    world.ok("bundle", "--progress", "quiet", "facts", "--lock", join(folder, "pylock.toml"), "-o", archive);
    const there = other.files("with-facts", { "main.py": files["main.py"] });
    other.ok("bundle", "--progress", "quiet", "--load", archive, "--to", there);
    other.ok("rmi", "-f", "app");
    const id = world.ok("inspect", "--format", "{{.Id}}", "facts");
    const blob = join(other.root, "v1/blobs/sha256", sumOf(wheel));
    const content = fs.readFileSync(blob);
    damage(blob);
    try {
      expect(quick("-t", "facts", there)).toMatchObject({ code: 0, err: "", out: `${id}\n` });
      const lock = fs.readFileSync(join(there, "pylock.toml"), "utf8");
      const lie = other.files("lie", { ...files, "pylock.toml": lock.replace(/^size = \d+$/m, "size = 1024") });
      expect(quick(lie).err).toMatch(/error\[E_(?:NO_RUNTIME|ZIP)\w*\]/);
      // Without the lock's word the layer has to be made, which needs both.
      const without = other.files("without-facts", files);
      expect(quick(without).err).toMatch(/error\[E_(?:NO_RUNTIME|ZIP)\w*\]/);
      expect(quick("--no-cache", there).err).toMatch(/error\[E_(?:NO_RUNTIME|ZIP)\w*\]/);
    } finally {
      fs.chmodSync(blob, 0o600);
      fs.writeFileSync(blob, content);
    }
  });

  it("of a trusted maker spares compiling, also of what is built anew", async () => {
    const [wheel = ""] = await fetchWheels(["numpy"]);
    const there = other.files("trusted", { "pylock.toml": lockOf(wheel), "main.py": "import numpy\n" });
    const untrusted = quick("--no-cache", there);
    expect(untrusted.err).toMatch(/error\[E_NO_RUNTIME\]/);
    other.ok("bundle", "--progress", "quiet", "--load", archive, "--trust");
    const id = world.ok("inspect", "--format", "{{.Id}}", "facts");
    const blob = join(other.root, "v1/blobs/sha256", sumOf(wheel));
    const content = fs.readFileSync(blob);
    damage(blob);
    expect(quick(there)).toMatchObject({ code: 0, err: "", out: `${id}\n` });
    fs.writeFileSync(blob, content);
    expect(await pushed(other, "facts")).toEqual(await pushed(world, "facts"));
    // The layers are made again and compared with what the bundle said of them.
    expect(quick("--no-cache", there)).toMatchObject({ code: 0, err: "", out: `${id}\n` });
  });

  it("of a project without a lock and of a Dockerfile is built there when its maker is trusted", () => {
    const project = { "requirements.txt": "numpy\n", "main.py": "import numpy\nprint(numpy.sum([1, 2]))\n" };
    const dockerfile = { Dockerfile: "FROM python:3.11-slim\nRUN echo made-at > /made && date >> /made\n" };
    const places = { unlocked: project, dockerfile };
    for (const [name, files] of Object.entries(places)) {
      const args = ["build", "-q", "-t", name, world.files(name, files)];
      expect(world.tare(args, { env: index.env })).toMatchObject({ code: 0, err: "" });
    }
    world.ok("bundle", "--progress", "quiet", "unlocked", "dockerfile", "-o", archive);
    other.ok("bundle", "--progress", "quiet", "--load", archive);
    const there = other.files("unlocked", project);
    expect(cut(there).err).toMatch(/error\[E_\w+\]/);
    other.ok("bundle", "--progress", "quiet", "--load", archive, "--trust");
    for (const [name, files] of Object.entries(places)) {
      // The resolution is that of the index it was asked of.
      const env = { ...other.env, ...index.env };
      const place = other.files(name, files);
      const options = { env, cwd: other.folder, encoding: "utf8" } as const;
      const child = spawnSync("unshare", ["--net", PROGRAM, "build", "-q", place], options);
      expect([child.stderr, child.stdout]).toEqual(["", `${world.ok("inspect", "--format", "{{.Id}}", name)}\n`]);
    }
  });

  it.skipIf(!hasSkopeo)("is an archive of images for other tools", () => {
    for (const place of [`docker-archive:${archive}:unlocked:latest`, `oci-archive:${archive}:3.11-slim`]) {
      const seen = spawnSync("skopeo", ["inspect", "--config", place], { encoding: "utf8" });
      if (seen.status !== 0) throw new Error(`${place}: ${seen.stderr}`);
      expect(JSON.parse(seen.stdout)).toMatchObject({ os: "linux" });
    }
  });

  it("says how it is used", () => {
    const refused = (...args: readonly string[]): string => world.tare(["bundle", ...args]).err;
    expect(refused()).toContain("name at least one image");
    expect(refused("--load", archive, "app")).toContain("takes no images");
    expect(refused("app", "--trust", "-o", "x")).toContain("`--trust` is of no use without `--load`");
    expect(refused("--load", archive, "-o", "x")).toContain("`--output` is of no use with `--load`");
    expect(refused("nobody", "-o", "x")).toMatch(/error\[E_IMAGE_NOTFOUND\]/);
  });
});
