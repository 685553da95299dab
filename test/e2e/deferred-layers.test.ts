// SPDX-License-Identifier: Apache-2.0
/* A build unpacks no wheel; whatever looks at an image's files does. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fillBusybox, whyNoBusybox } from "../support/bases.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import { RemoteWorld, writeBase } from "../support/remote-world.ts";

const reason = whyNoBusybox();
if (reason !== undefined) console.log(`skipped: deferred layers: containers: ${reason}`);

const MODULE = "usr/local/lib/python3.11/site-packages/first/__init__.py";
const TEXT = "first 1.0\n";

let world: RemoteWorld;
let machine: ProgramWorld;
let folder = "";

beforeAll(async () => {
  world = await RemoteWorld.open();
});
afterAll(() => world.close());

beforeEach(async () => {
  machine = world.machine();
  const context = writeBase(machine, "base");
  if (reason === undefined) fillBusybox(join(context, "tree"));
  await ok("build", "-q", "-t", "base", context);
  folder = world.project(machine, [world.wheel("first", "1.0", TEXT), world.wheel("second", "1.0")]);
  const file = join(folder, "pyproject.toml");
  fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/base = .*/, 'base = "base"'));
  await ok("build", "-q", "-t", "app", folder);
  expect(withoutTree()).toBeGreaterThan(0);
});

async function ok(...args: readonly string[]): Promise<Outcome> {
  const outcome = await machine.tareAsync(args);
  expect(outcome.err).not.toMatch(/error\[/);
  expect(outcome.code).toBe(0);
  return outcome;
}

/** How many layers have no tree. */
function withoutTree(): number {
  const layers = join(machine.root, "v1/layers");
  return fs.readdirSync(layers).filter((name) => !fs.existsSync(join(layers, name, "tree"))).length;
}

describe("layers of wheels", () => {
  it("are counted by what asks for sizes only, and are no damage", async () => {
    const size = machine.ok("images", "--format", "{{.Size}}", "app");
    const history = machine.ok("history", "--format", "{{.Size}}", "app");
    machine.ok("inspect", "app");
    machine.ok("system", "df");
    expect((await ok("system", "fsck")).out).not.toMatch(/missing/);
    await ok("build", "-q", "-t", "app", folder);
    expect(withoutTree()).toBeGreaterThan(0);
    await ok("image", "size", "app");
    expect(withoutTree()).toBe(0);
    expect(machine.ok("images", "--format", "{{.Size}}", "app")).toBe(size);
    expect(machine.ok("history", "--format", "{{.Size}}", "app")).toBe(history);
  });

  it("are pushed without being unpacked, as what they are", async () => {
    const name = `${world.registry.host}/${world.newRepository()}:1`;
    await ok("tag", "app", name);
    await ok("push", "-q", name);
    expect(withoutTree()).toBeGreaterThan(0);
    const [other, id] = [world.machine(), machine.ok("images", "-q", "--no-trunc", "app")];
    expect((await other.tareAsync(["pull", "-q", name])).err).not.toMatch(/error\[/);
    expect(other.ok("images", "-q", "--no-trunc")).toBe(id);
  });

  it.each([["none"], ["zstd"], ["gzip:single"]])("are pushed as %s", async (compression) => {
    const name = `${world.registry.host}/${world.newRepository()}:1`;
    await ok("tag", "app", name);
    await ok("push", "-q", "--compression", compression, name);
    expect((await world.machine().tareAsync(["pull", "-q", name])).err).not.toMatch(/error\[/);
  });

  it("are saved", async () => {
    const archive = join(machine.folder, "app.tar");
    await ok("save", "-o", archive, "app");
    const other = world.machine();
    expect((await other.tareAsync(["load", "-q", "-i", archive])).err).not.toMatch(/error\[/);
    expect(other.ok("images", "-q")).toBe(machine.ok("images", "-q", "app"));
  });

  it("are exported by the build that made them", async () => {
    const target = join(machine.folder, "files");
    await ok("build", "-o", target, folder);
    expect(fs.readFileSync(join(target, MODULE), "utf8")).toBe(TEXT);
    await ok("build", "-o", `type=oci,dest=${join(machine.folder, "app.oci.tar")}`, folder);
  });

  it("are there for steps on top and for copies out of them", async () => {
    const context = machine.files("more", {
      Dockerfile: `FROM app AS app\nCOPY added.txt /usr/local/lib/python3.11/site-packages/first/\nFROM scratch\nCOPY --from=app /${MODULE} /x\n`,
      "added.txt": "",
    });
    const target = join(machine.folder, "copied");
    await ok("build", "-o", target, context);
    expect(fs.readFileSync(join(target, "x"), "utf8")).toBe(TEXT);
  });

  it("are fetched again when a prune took their wheels but not them", async () => {
    fs.rmSync(join(machine.root, "v1/blobs/sha256"), { recursive: true });
    fs.mkdirSync(join(machine.root, "v1/blobs/sha256"));
    await ok("build", "-q", "-t", "base", join(machine.folder, "base"));
    await ok("build", "-q", "-t", "app", folder);
    await ok("image", "size", "app");
    expect(withoutTree()).toBe(0);
  });

  it.skipIf(reason !== undefined)("are there for a container, for several that start at once too", async () => {
    const run = (): Promise<Outcome> => machine.tareAsync(["run", "--rm", "app", "cat", `/${MODULE}`]);
    for (const { code, out } of await Promise.all([run(), run(), run()])) expect([code, out]).toEqual([0, TEXT]);
    expect(withoutTree()).toBe(0);
    const status = spawnSync("find", [join(machine.root, "v1/tmp"), "-name", "layer-*"], { encoding: "utf8" });
    expect(status.stdout).toBe("");
  });

  it.skipIf(reason !== undefined)("are there for RUN", async () => {
    const context = machine.files("run", { Dockerfile: `FROM app\nUSER 0\nRUN grep -q first /${MODULE}\n` });
    await ok("build", context);
  });
});
