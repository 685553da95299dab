// SPDX-License-Identifier: Apache-2.0
/* Wheels that were built from sources, shared through docker-registry: nothing is built on the second machine. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { whyNoBusybox } from "../support/bases.ts";
import { openProgramWorld } from "../support/program.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { addPythonBase, whyNoPythonBase } from "../support/python-base.ts";
import { startRegistry, whyNoRegistry } from "../support/registry.ts";
import type { RegistryPeer } from "../support/registry.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { IndexPeer } from "../support/wheel-index.ts";
import { fetchWheels, whyNoWheels } from "../support/wheels.ts";

const reason = whyNoBusybox() ?? whyNoPythonBase() ?? whyNoWheels() ?? whyNoRegistry();
if (reason !== undefined) console.log(`skipped: sharing wheels: ${reason}`);

const FILE = "demo_source-3.0-py3-none-any.whl";

describe.skipIf(reason !== undefined)("wheels built from sources", () => {
  let world: ProgramWorld;
  let other: ProgramWorld;
  let index: IndexPeer;
  let registry: RegistryPeer;
  let lock = "";
  beforeAll(async () => {
    world = openProgramWorld("wheels");
    other = openProgramWorld("wheels-to");
    for (const one of [world, other]) addPythonBase(one);
    registry = await startRegistry(join(world.folder, "registry"));
    const folder = world.files("sdist/demo_source-3.0", {
      "setup.py":
        'from setuptools import setup\nsetup(name="demo-source", version="3.0", py_modules=["demo_source"])\n',
      "demo_source.py": "VALUE = 7\n",
      "PKG-INFO": "Metadata-Version: 2.1\nName: demo-source\nVersion: 3.0\n",
    });
    const sdist = join(world.folder, "demo_source-3.0.tar.gz");
    execFileSync("tar", ["-C", join(folder, ".."), "-czf", sdist, "demo_source-3.0"]);
    index = await startIndex([...(await fetchWheels(["setuptools", "wheel", "uv"])), sdist]);
    const sum = createHash("sha256").update(fs.readFileSync(sdist)).digest("hex");
    const url = new URL("/files/demo_source-3.0.tar.gz", index.url).href;
    lock = [
      'lock-version = "1.0"\ncreated-by = "test"\n\n[[packages]]\nname = "demo-source"\nversion = "3.0"\n',
      `sdist = { url = "${url}", hashes = { sha256 = "${sum}" } }\n`,
    ].join("");
  });
  afterAll(async () => {
    await index.stop();
    await registry.stop();
    for (const one of [world, other]) one.close();
  });

  const build = (one: ProgramWorld, ...args: readonly string[]): Outcome => {
    const files = { "pylock.toml": lock, "main.py": "import demo_source\nprint(demo_source.VALUE)\n" };
    const built = one.tare(["build", ...args, one.files("project", files)], { env: index.env });
    if (built.code !== 0) throw new Error(built.err);
    return built;
  };

  it("are listed, sent once, and found on another machine in place of a build", () => {
    expect(build(world, "--progress", "plain", "-t", "app").err).toContain("build a wheel of demo-source 3.0");
    expect(world.ok("wheels", "ls", "--built")).toMatch(
      /^NAME .*\ndemo-source +3\.0 +built from [0-9a-f]{12} in [\d.]+ s +1 /,
    );
    const place = `${registry.host}/team/wheels:3.11`;
    const sent = world.ok("wheels", "push", "--progress", "quiet", place, "demo-source");
    expect(sent).toMatch(new RegExp(`^${FILE}\n${place}: digest: sha256:[0-9a-f]{64} wheels: 1$`));
    const again = JSON.parse(world.ok("wheels", "push", "--progress", "quiet", "--json", place)) as object;
    expect(again).toMatchObject({ existed: true, total: 1 });
    expect(other.ok("wheels", "pull", "--progress", "quiet", place)).toBe(FILE);
    const built = build(other, "--progress", "plain", "-t", "app");
    expect(built.err).not.toContain("build a wheel of");
    const idOf = (one: ProgramWorld): string => one.ok("inspect", "--format", "{{.Id}}", "app");
    expect(idOf(other)).toBe(idOf(world));
    expect(other.ok("run", "--rm", "app")).toBe("7");
  });

  it("stay while a layer is made of them", () => {
    expect(world.tare(["wheels", "rm", "demo-source"]).err).toMatch(/error\[E_WHEEL_INUSE\]: .*\nhint: /);
    world.ok("rmi", "app");
    world.ok("system", "prune", "-f");
    expect(world.ok("wheels", "ls", "--built", "-q")).toBe(FILE);
    expect(world.ok("wheels", "rm", "demo-source==3.0")).toMatch(
      new RegExp(`^Deleted: ${FILE}\nTotal reclaimed space: [1-9]`),
    );
    expect(world.ok("wheels", "ls", "-q")).not.toContain(FILE);
    expect(world.tare(["wheels", "rm", "demo-source"]).err).toMatch(/error\[E_WHEEL_MISSING\]/);
    expect(world.tare(["wheels", "push", `${registry.host}/team/wheels`]).err).toMatch(
      /error\[E_WHEEL_MISSING\]: .*none were built here/,
    );
    expect(world.tare(["wheels", "pull", `${registry.host}/team/nothing`]).err).toMatch(/error\[E_REGISTRY_NOTFOUND\]/);
  });
});
