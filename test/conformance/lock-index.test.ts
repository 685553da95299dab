// SPDX-License-Identifier: Apache-2.0
/* `tare lock` against the real index, and what pip says of the result: it installs the very same versions. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readLock } from "../../src/python/index.ts";
import { openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { whyNoIndex } from "../support/python-base.ts";
import { uvProgram, whyNoUv } from "../support/uv.ts";

const reason = whyNoUv() ?? whyNoIndex();
if (reason !== undefined) console.log(`skipped: locking against the index: ${reason}`);

/** What pip would install for CPython 3.11 on Linux: names and versions. Metadata only, nothing large is fetched. */
function asPip(folder: string, lines: readonly string[]): readonly string[] {
  const list = join(folder, "pins.txt");
  fs.writeFileSync(list, `${lines.join("\n")}\n`);
  const glibc = ["2_36", "2_28", "2_17"].flatMap((each) => ["--platform", `manylinux_${each}_x86_64`]);
  const target = ["--python-version", "3.11", "--only-binary", ":all:", ...glibc, "--target", join(folder, "none")];
  const report = join(folder, "report.json");
  const args = ["-m", "pip", "install", "--dry-run", "-q", "--report", report, ...target, "-r", list];
  const pip = spawnSync("python3", args, { encoding: "utf8" });
  if (pip.status !== 0) throw new Error(pip.stderr);
  const { install } = JSON.parse(fs.readFileSync(report, "utf8")) as {
    readonly install: readonly { readonly metadata: { readonly name: string; readonly version: string } }[];
  };
  return install
    .map(({ metadata }) => `${metadata.name.toLowerCase().replaceAll(/[-_.]+/g, "-")} ${metadata.version}`)
    .toSorted();
}

describe.skipIf(reason !== undefined)("a lock of the real index", () => {
  let world: ProgramWorld;
  let env: Record<string, string>;
  beforeAll(async () => {
    world = openProgramWorld("lock-index");
    env = { TARE_UV: await uvProgram() };
  });
  afterAll(() => world.close());

  it("is complete, has digests and sizes, and pip has nothing to add to it", () => {
    const project = world.files("project", { "requirements.txt": "fastapi[standard]>=0.110\nhttpx\nidna<4\n" });
    const done = world.tare(["lock", "--platform", "linux/amd64", "--python", "3.11", project], { env });
    expect(done).toMatchObject({ code: 0 });
    const path = join(project, "pylock.toml");
    const { packages } = readLock(fs.readFileSync(path, "utf8"), path);
    expect(packages.length).toBeGreaterThan(15);
    for (const { wheels } of packages) {
      expect(wheels.length).toBeGreaterThan(0);
      for (const { digest, size, url } of wheels) expect([digest, size, url].includes(undefined)).toBe(false);
    }
    const locked = packages.map(({ name, version }) => `${name} ${version ?? ""}`).toSorted();
    const pins = packages.map(({ name, version }) => `${name}==${version ?? ""}`);
    expect(asPip(project, ["fastapi[standard]", ...pins])).toEqual(locked);
  });
});
