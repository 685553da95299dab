// SPDX-License-Identifier: Apache-2.0
/*
 * Wheels that are made to do harm, through `tare build` of a project whose lock names them with their right digest: one
 * clear error, nothing of them in the store, and the same the second time.
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOSTILE_WHEELS } from "../support/hostile-wheels.ts";
import { openProgramWorld } from "../support/program.ts";
import { addFakePython } from "../support/fake-python.ts";
import { makeWheel } from "../support/wheel-fixture.ts";
import type { Outcome, ProgramWorld } from "../support/program.ts";
import type { MadeWheel } from "../support/wheel-fixture.ts";

let world: ProgramWorld;
let count = 0;
beforeAll(() => {
  world = openProgramWorld("hostile");
  addFakePython(world);
  // What a good build leaves besides its image is there before the bad ones.
  expect(build(project(makeWheel())).code).toBe(0);
});
afterAll(() => world.close());

/** A project that installs a wheel by its lock. */
function project({ fileName, bytes }: MadeWheel, base = "pybase"): string {
  count += 1;
  const digest = createHash("sha256").update(bytes).digest("hex");
  const [name, version] = fileName.split("-");
  return world.files(`project-${count}`, {
    "main.py": "import demo\n",
    "pyproject.toml": `[project]\nname = "app"\nversion = "1"\n[tool.tare]\nbase = "${base}"\n`,
    "pylock.toml": [
      'lock-version = "1.0"',
      'created-by = "test"',
      "[[packages]]",
      `name = "${name ?? ""}"`,
      `version = "${version ?? ""}"`,
      `wheels = [{ path = "${fileName}", size = ${bytes.length}, hashes = { sha256 = "${digest}" } }]`,
      "",
    ].join("\n"),
    [fileName]: bytes,
  });
}

function build(folder: string, ...more: string[]): Outcome {
  return world.tare(["build", "--progress", "plain", "--bytecode", "none", "-t", `image-${count}`, ...more, folder]);
}

/** All that a build could leave, besides the wheel itself, which is what its digest says. */
function leftInStore(): readonly string[] {
  const place = join(world.root, "v1");
  const list = (folder: string): string[] => fs.readdirSync(join(place, folder)).map((name) => `${folder}/${name}`);
  const unfinished = list("tmp").flatMap((lease) => list(lease));
  return [
    ...list("layers"),
    ...list("l"),
    ...unfinished,
    world.ok("images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"),
  ].sort();
}

describe("a hostile wheel", () => {
  it.each(HOSTILE_WHEELS)("$title", ({ code, message, make }) => {
    const folder = project(make());
    const before = leftInStore();
    for (const turn of ["first", "second"]) {
      const { code: exit, out, err } = build(folder);
      const errors = err.split("\n").filter((line) => /^\S*error\[/.test(line));
      expect([exit, out, errors.length], `${turn}: ${err}`).toEqual([1, "", 1]);
      expect(errors[0]).toContain(`error[${code}]`);
      expect(err).toMatch(message);
      expect(err).toMatch(/^hint:/m);
      expect(err).not.toMatch(/\n\s+at |undefined|\[object/);
      expect(leftInStore()).toEqual(before);
    }
  });

  it("follows links of the base inside the image only", () => {
    const outside = world.files("outside", { kept: "" });
    const lines = "FROM pybase\nCOPY tree /\n";
    const context = world.files("linked", { Dockerfile: lines, "tree/etc/motd": "the base's\n" });
    fs.mkdirSync(join(context, "tree/usr/local/lib/python3.11"), { recursive: true });
    fs.symlinkSync("/etc", join(context, "tree/usr/local/lib/python3.11/site-packages"));
    fs.symlinkSync(outside, join(context, "tree/usr/local/share"));
    fs.symlinkSync(`../../../../../../../..${outside}`, join(context, "tree/usr/local/man"));
    world.ok("build", "-q", "-t", "linked", context);
    const data = { "demo-1.0.data/data/share/x": "x", "demo-1.0.data/data/man/x": "x" };
    const folder = project(makeWheel({ files: { motd: "the wheel's\n", ...data } }), "linked");
    expect(build(folder, "--output", `type=local,dest=${join(world.folder, "out")}`)).toMatchObject({ code: 0 });
    // As pip does where it is run in such an image.
    expect(fs.readFileSync(join(world.folder, "out/etc/motd"), "utf8")).toBe("the wheel's\n");
    expect(fs.readdirSync(outside)).toEqual(["kept"]);
    expect(fs.existsSync("/etc/motd") && fs.readFileSync("/etc/motd", "utf8").includes("the wheel's")).toBe(false);
  });

  it("does not spoil the one that comes in its place", () => {
    const bad = project(makeWheel({ record: null }));
    expect(build(bad).code).toBe(1);
    expect(build(project(makeWheel())).code).toBe(0);
  });
});
