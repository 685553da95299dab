// SPDX-License-Identifier: Apache-2.0
/* Small wheels and sdists made for a test: right in every respect that the test does not change. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { makeZip } from "../../src/archive/zip/fixture.ts";
import type { FixtureEntry } from "../../src/archive/zip/fixture.ts";

/** What a made wheel has besides its .dist-info. */
export interface MadeWheel {
  readonly name: string;
  readonly version?: string;
  /** `py3-none-any`. */
  readonly tag?: string;
  readonly isPlatlib?: boolean;
  readonly requires?: readonly string[];
  readonly entryPoints?: string;
  readonly files: readonly FixtureEntry[];
}

/** Writes a wheel into a folder; its path. */
export function writeWheel(folder: string, wheel: MadeWheel): string {
  const { name, version = "1.0", tag = "py3-none-any", isPlatlib = false, requires = [], entryPoints } = wheel;
  const stem = `${name.replaceAll(/[-.]+/g, "_")}-${version}`;
  const info = `${stem}.dist-info`;
  const metadata = [
    "Metadata-Version: 2.1",
    `Name: ${name}`,
    `Version: ${version}`,
    ...requires.map((one) => `Requires-Dist: ${one}`),
  ];
  const format = ["Wheel-Version: 1.0", "Generator: made", `Root-Is-Purelib: ${String(!isPlatlib)}`, `Tag: ${tag}`];
  const entries: readonly FixtureEntry[] = [
    ...wheel.files,
    { name: `${info}/METADATA`, content: `${metadata.join("\n")}\n` },
    { name: `${info}/WHEEL`, content: `${format.join("\n")}\n` },
    ...(entryPoints === undefined ? [] : [{ name: `${info}/entry_points.txt`, content: entryPoints }]),
  ];
  const path = join(folder, `${stem}-${tag}.whl`);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path, makeZip([...entries, { name: `${info}/RECORD`, content: recordOf(entries, info) }]));
  return path;
}

function recordOf(entries: readonly FixtureEntry[], info: string): string {
  const rows = entries
    .filter(({ name }) => !String(name).endsWith("/"))
    .map(({ name, content = "" }) => {
      const hash = createHash("sha256").update(content).digest("base64url");
      const path = String(name);
      return `${/[",]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path},sha256=${hash},${Buffer.byteLength(content)}\n`;
    });
  return `${rows.join("")}${info}/RECORD,,\n`;
}

/** Writes an sdist into a folder, `made-sdist` 1.0, which is built by setuptools; its path. */
export function writeSdist(folder: string): string {
  const source = join(folder, "made_sdist-1.0");
  fs.mkdirSync(source);
  fs.writeFileSync(join(source, "setup.py"), 'from setuptools import setup\nsetup(name="made-sdist", version="1.0")\n');
  fs.writeFileSync(join(source, "PKG-INFO"), "Metadata-Version: 2.1\nName: made-sdist\nVersion: 1.0\n");
  spawnSync("tar", ["-C", folder, "-czf", `${source}.tar.gz`, "made_sdist-1.0"]);
  return `${source}.tar.gz`;
}
