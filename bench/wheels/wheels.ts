// SPDX-License-Identifier: Apache-2.0
/** The wheels of a set: fetched once by pip into a folder outside the checkout, then described for the local index. */
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { createReadStream, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openZip } from "../../src/archive/index.ts";
import { normalizeName, parseWheelName } from "../../src/python/index.ts";
import type { Pin } from "./sets.ts";

/** What an index tells of a wheel, and what its growth is measured by. */
export interface WheelFacts {
  readonly fileName: string;
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly size: number;
  readonly files: number;
  readonly unpacked: number;
}

/** pip and uv of the base image, so that all sides have the same current ones. */
export const TOOLS: readonly Pin[] = [
  { name: "pip", version: "26.3" },
  { name: "uv", version: "0.13.9" },
];

/** Up to the base's glibc, 2.36. */
const PLATFORMS = [...Array.from({ length: 20 }, (_, index) => `manylinux_2_${36 - index}`), "manylinux2014"];

/** Fetches those of the pins that are not there. Throws what pip says when it can't. */
export function fetchWheels(folder: string, pins: readonly Pin[]): void {
  mkdirSync(folder, { recursive: true });
  const present = new Set(readdirSync(folder).flatMap((file) => (isWheel(file) ? [keyOf(file)] : [])));
  const missing = pins.filter(({ name, version }) => !present.has(`${normalizeName(name)} ${version}`));
  if (missing.length === 0) return;
  process.stderr.write(`fetching ${missing.length} wheels into ${folder}\n`);
  const platforms = PLATFORMS.flatMap((platform) => ["--platform", `${platform}_x86_64`]);
  const target = ["--only-binary=:all:", "--implementation", "cp", "--python-version", "3.11", ...platforms];
  const words = ["-m", "pip", "download", "-q", "--no-deps", ...target, "-d", folder];
  const { status } = spawnSync("python3", [...words, ...missing.map(({ name, version }) => `${name}==${version}`)], {
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) throw new Error("fetching wheels: pip failed; its output is above");
}

function isWheel(file: string): boolean {
  return file.endsWith(".whl");
}

function keyOf(file: string): string {
  const { name, version } = parseWheelName(file);
  return `${normalizeName(name)} ${version}`;
}

/** Facts of all wheels in the folder, remembered beside them. */
export async function describeWheels(folder: string): Promise<readonly WheelFacts[]> {
  const memo = join(folder, "facts.json");
  const known: readonly WheelFacts[] = existsSync(memo) ? JSON.parse(readFileSync(memo, "utf8")) : [];
  const byName = new Map(known.map((facts) => [facts.fileName, facts]));
  const files = readdirSync(folder).filter(isWheel).sort();
  const facts: WheelFacts[] = [];
  for (const file of files) facts.push(byName.get(file) ?? (await describe(join(folder, file), file)));
  writeFileSync(memo, JSON.stringify(facts));
  return facts;
}

async function describe(path: string, fileName: string): Promise<WheelFacts> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  const zip = openZip(path);
  try {
    const { name, version } = parseWheelName(fileName);
    return {
      fileName,
      name: normalizeName(name),
      version,
      sha256: hash.digest("hex"),
      size: zip.size,
      files: zip.entries.length,
      unpacked: zip.entries.reduce((sum, { size }) => sum + size, 0),
    };
  } finally {
    zip.close();
  }
}

/** The wheels of pins, in their order. */
export function wheelsOf(facts: readonly WheelFacts[], pins: readonly Pin[]): readonly WheelFacts[] {
  return pins.map(({ name, version }) => {
    const found = facts.find((each) => each.name === normalizeName(name) && each.version === version);
    if (!found) throw new Error(`there is no wheel of ${name} ${version}`);
    return found;
  });
}
