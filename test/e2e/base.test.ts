// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assembleBase } from "../../src/bases/index.ts";
import { chooseMirrors, defaultMirrors, readHostSources } from "../../src/bases/sources.ts";
import { findSuite } from "../../src/bases/suites.ts";
import { imageDetails } from "../../src/images/index.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";

function reasonToSkip(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  if (spawnSync("mmdebstrap", ["--version"]).status !== 0) return "needs mmdebstrap";
  const archive = `${chooseMirrors(findSuite("debian", "bookworm") ?? expect.unreachable(), { host: readHostSources(), defaults: defaultMirrors() }).archive}/dists/bookworm/InRelease`;
  const probe = spawnSync("/usr/lib/apt/apt-helper", [
    "download-file",
    archive,
    join(tmpdir(), `tare-probe-${process.pid}`),
  ]);
  return probe.status === 0 ? undefined : `can't reach ${archive}`;
}

const reason = reasonToSkip();
if (reason !== undefined) console.log(`skipped: base images: ${reason}`);

let folder = "";
const stores: Store[] = [];
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "tare-base-"));
});
afterAll(() => {
  for (const store of stores) store.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

function newStore(name: string): Store {
  const store = openStore({ root: join(folder, name) });
  stores.push(store);
  return store;
}

const request = { packages: [], tags: [], force: false } as const;

describe.skipIf(reason !== undefined)("base images from signed packages", () => {
  it("gives the same digest in another store, and is instant the second time", async () => {
    const [first, second] = [newStore("first"), newStore("second")];
    const recipe = "debian:bookworm-slim";
    const a = await assembleBase(first, { ...request, recipe });
    expect(a).toMatchObject({ existed: false, names: ["docker.io/library/debian:bookworm-slim"] });
    const started = performance.now();
    const again = await assembleBase(first, { ...request, recipe });
    expect(again).toMatchObject({ existed: true, digest: a.digest });
    expect(performance.now() - started).toBeLessThan(500);
    // Other packages are another base, whatever the name.
    const other = assembleBase(first, { ...request, recipe, packages: ["no-such-package-x"] });
    await expect(other).rejects.toMatchObject({ code: "E_BASE_SOURCE" });
    // The second store takes the packages from the first one's folder, or the test would download them twice.
    fs.cpSync(join(first.root, "cache"), join(second.root, "cache"), { recursive: true });
    const b = await assembleBase(second, { ...request, recipe });
    expect(b.digest).toBe(a.digest);
    checkTree(first, a.names[0] ?? "");
  });

  it("gives a Python that is used like the official image's", async () => {
    const store = newStore("first");
    const result = await assembleBase(store, { ...request, recipe: "python:3.11-slim" });
    const record = store.images.find(result.digest) ?? expect.unreachable();
    const { config, layers } = imageDetails(store, record);
    expect(config.config?.Cmd).toEqual(["python3"]);
    expect(config.config?.Entrypoint).toBeUndefined();
    expect(config.config?.Env).toContain("LANG=C.UTF-8");
    expect(config.config?.Env?.some((pair) => pair.startsWith("PYTHONUNBUFFERED"))).toBe(false);
    const root = join(folder, "python");
    fs.cpSync(layers[0]?.tree ?? "", root, { recursive: true, verbatimSymlinks: true });
    const inside = (...args: string[]): string => {
      const child = spawnSync("chroot", [root, "/usr/bin/env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", ...args]);
      return `${child.stdout.toString()}${child.stderr.toString()}`;
    };
    expect(inside("python", "-c", "import ssl, sqlite3, setuptools, sys; print(sys.version_info[:2])")).toBe(
      "(3, 11)\n",
    );
    expect(inside("pip", "--version")).toContain("/usr/local/lib/python3.11/");
    const wheel = "/usr/share/python-wheels";
    const install = inside("pip", "install", "--no-index", "--find-links", wheel, "--force-reinstall", "setuptools");
    expect(install).toContain("Successfully installed setuptools");
    expect(install).not.toContain("externally-managed");
  });

  it("refuses what can't be had, clearly", async () => {
    const store = newStore("bad");
    const bad = assembleBase(store, { ...request, recipe: "debian:bookworm-slim", packages: ["no-such-package-x"] });
    await expect(bad).rejects.toMatchObject({ code: "E_BASE_SOURCE" });
    const mirror = assembleBase(store, {
      ...request,
      recipe: "debian:bookworm-slim",
      mirror: "http://127.0.0.1:9/debian",
    });
    await expect(mirror).rejects.toMatchObject({ code: "E_BASE_SOURCE" });
    expect(store.images.list()).toEqual([]);
  });
});

/** Nothing of this machine or this moment is in the tree. */
function checkTree(store: Store, name: string): void {
  const record = store.images.find(name) ?? expect.unreachable();
  const tree = imageDetails(store, record).layers[0]?.tree ?? "";
  for (const path of ["etc/resolv.conf", "etc/hostname", "var/log/dpkg.log", "var/cache/ldconfig/aux-cache"]) {
    expect(fs.existsSync(join(tree, path)), path).toBe(false);
  }
  expect(fs.readdirSync(join(tree, "dev"))).toEqual([]);
  expect(fs.readdirSync(join(tree, "etc/apt/sources.list.d"))).toEqual(["debian.sources"]);
  expect(fs.statSync(join(tree, "etc/passwd")).mtimeMs).toBe(315_532_800_000);
}
