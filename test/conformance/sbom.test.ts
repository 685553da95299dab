// SPDX-License-Identifier: Apache-2.0
/* Bills of materials of a real base with a real wheel, by the validators of SPDX and CycloneDX. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withLock } from "../support/lock.ts";
import { openProgramWorld } from "../support/program.ts";
import type { ProgramWorld } from "../support/program.ts";
import { TEST_CACHE, addPythonBase, whyNoPythonBase } from "../support/python-base.ts";
import { startIndex } from "../support/wheel-index.ts";
import type { IndexPeer } from "../support/wheel-index.ts";
import { fetchWheels, testWheel, whyNoWheels } from "../support/wheels.ts";

const reason = whyNoPythonBase() ?? whyNoWheels();
if (reason !== undefined) console.log(`skipped: bills of materials: ${reason}`);

const TOOLS = ["spdx-tools==0.8.5", "cyclonedx-python-lib[json-validation]==11.12.0"];

const CYCLONEDX = `
import sys
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.schema import SchemaVersion
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())
sys.exit(str(error) if error else 0)
`;

/** A folder with the validators, made once. */
async function validators(): Promise<string> {
  const folder = join(TEST_CACHE, "sbom-validators");
  fs.mkdirSync(TEST_CACHE, { recursive: true });
  await withLock(join(TEST_CACHE, ".lock"), async () => {
    if (fs.existsSync(join(folder, "ready"))) return;
    const run = (...line: readonly string[]): void => {
      const done = spawnSync(line[0] ?? "", line.slice(1), { encoding: "utf8" });
      if (done.status !== 0) throw new Error(`${line.join(" ")}: ${done.stderr}`);
    };
    run("python3", "-m", "venv", folder);
    run(join(folder, "bin/pip"), "install", "-q", ...TOOLS);
    fs.writeFileSync(join(folder, "ready"), "");
    await Promise.resolve();
  });
  return folder;
}

describe.skipIf(reason !== undefined)("bills of materials", () => {
  let world: ProgramWorld;
  let index: IndexPeer;
  let tools = "";

  beforeAll(async () => {
    world = openProgramWorld("sbom");
    tools = await validators();
    addPythonBase(world);
    index = await startIndex(await fetchWheels(["numpy", "uv"]));
    const files = { "requirements.txt": `numpy==${testWheel("numpy").version}\n`, "main.py": "import numpy\n" };
    const built = world.tare(["build", "--progress", "quiet", "-t", "app", world.files("project", files)], {
      env: index.env,
    });
    if (built.code !== 0) throw new Error(built.err);
  });
  afterAll(async () => {
    await index.stop();
    world.close();
  });

  const write = (format: string): string => {
    const file = join(world.folder, `${format}.spdx.json`);
    world.ok("sbom", "--format", format, "-o", file, "app");
    return file;
  };

  it("of SPDX are valid", () => {
    const file = write("spdx");
    // The validator takes no address with a port for a download location; ours is that of the test's index.
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replaceAll(new URL(index.url).origin, "https://example.org"));
    const done = spawnSync(join(tools, "bin/pyspdxtools"), ["-i", file], { encoding: "utf8" });
    expect(done.stderr + done.stdout).toBe("");
    expect(done.status).toBe(0);
  });

  it("of CycloneDX are valid", () => {
    const done = spawnSync(join(tools, "bin/python"), ["-c", CYCLONEDX, write("cyclonedx")], { encoding: "utf8" });
    expect(done.stderr).toBe("");
    expect(done.status).toBe(0);
  });

  it("tell the wheel, its libraries and the system's packages", () => {
    const { packages } = JSON.parse(fs.readFileSync(write("spdx"), "utf8")) as {
      readonly packages: readonly { readonly name: string; readonly [key: string]: unknown }[];
    };
    const numpy = testWheel("numpy");
    expect(packages.find(({ name }) => name === "numpy")).toMatchObject({
      versionInfo: numpy.version,
      packageFileName: numpy.fileName,
      checksums: [{ algorithm: "SHA256", checksumValue: numpy.sha256 }],
      licenseDeclared: expect.stringContaining("BSD-3-Clause") as string,
    });
    const libraries = packages.filter(({ comment }) => String(comment).startsWith("carried by the distribution numpy"));
    expect(libraries.map(({ name }) => name)).toEqual(["libgfortran", "libquadmath", "libscipy_openblas64_"]);
    for (const { packageFileName, checksums } of libraries) {
      expect([packageFileName, checksums]).toEqual([
        expect.stringContaining("/numpy.libs/"),
        [{ algorithm: "SHA256", checksumValue: expect.stringMatching(/^[0-9a-f]{64}$/) as string }],
      ]);
    }
    expect(packages).toContainEqual(
      expect.objectContaining({ name: "libc6", licenseDeclared: "GPL-2.0-only AND LGPL-2.1-only" }),
    );
  });

  it("of the same image are the same", () => {
    const first = fs.readFileSync(write("spdx"));
    expect(fs.readFileSync(write("spdx")).equals(first)).toBe(true);
  });
});
