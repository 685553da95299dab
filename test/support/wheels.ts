// SPDX-License-Identifier: Apache-2.0
/*
 * Real wheels for tests: exact versions with pinned digests (wheels.json), brought once into a folder that all runs
 * share (TARE_TEST_WHEELS, else tare-tests/wheels in the user's cache). They are for CPython 3.11 on amd64 and glibc,
 * as `python:3.11-slim` has. One download of all is 870 MB: add to the list with care, CI gets 1 GB in all.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { withLock } from "./lock.ts";
import LIST from "./wheels.json" with { type: "json" };

/** A wheel that tests may use. */
export interface TestWheel {
  /** Normalised. */
  readonly name: string;
  readonly version: string;
  readonly fileName: string;
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** All of the list: by name, a project's versions from old to new. */
export const TEST_WHEELS: readonly TestWheel[] = LIST;

/** `numpy` (its newest version here) or `numpy==2.4.6`. */
export function testWheel(requirement: string): TestWheel {
  const [name, version] = requirement.split("==");
  const found = TEST_WHEELS.findLast((one) => one.name === name && (version === undefined || one.version === version));
  if (!found) throw new Error(`${requirement} is not in test/support/wheels.json`);
  return found;
}

/** Why wheels can't be brought here; undefined when they can. */
export function whyNoWheels(): string | undefined {
  if (spawnSync("sh", ["-c", "command -v flock"]).status !== 0) return "flock (package util-linux) is not installed";
  return spawnSync("python3", ["-m", "pip", "--version"]).status === 0 ? undefined : "python3 has no pip";
}

/** Where wheels are kept. */
function wheelFolder(): string {
  const { TARE_TEST_WHEELS, XDG_CACHE_HOME } = process.env;
  return TARE_TEST_WHEELS ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tare-tests/wheels");
}

/**
 * Paths of wheels, in the order asked for; what is missing is fetched from the index that pip is set to. All are
 * verified. Throws when one can't be had.
 */
export async function fetchWheels(wanted: readonly (string | TestWheel)[]): Promise<readonly string[]> {
  const wheels = wanted.map((one) => (typeof one === "string" ? testWheel(one) : one));
  const folder = wheelFolder();
  fs.mkdirSync(folder, { recursive: true });
  const missing = async (): Promise<readonly TestWheel[]> => {
    const present = await Promise.all(wheels.map((wheel) => isPresent(folder, wheel)));
    return wheels.filter((_, index) => !present[index]);
  };
  if ((await missing()).length > 0)
    await withLock(join(folder, ".lock"), async () => download(folder, await missing()));
  return wheels.map(({ fileName }) => join(folder, fileName));
}

async function isPresent(folder: string, { fileName, size, sha256 }: TestWheel): Promise<boolean> {
  const path = join(folder, fileName);
  if (fs.statSync(path, { throwIfNoEntry: false })?.size !== size) return false;
  return (await digest(path)) === sha256;
}

async function digest(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of fs.createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

const GLIBC = ["2_36", "2_34", "2_31", "2_28", "2_27", "2_26", "2_24", "2_17", "2_12", "2_5"];
const PLATFORMS = [...GLIBC.map((version) => `manylinux_${version}`), "manylinux2014", "manylinux2010", "manylinux1"];

/** By pip, which knows the user's indexes; a project's versions can't be asked for together. */
async function download(folder: string, wheels: readonly TestWheel[]): Promise<void> {
  const place = fs.mkdtempSync(join(folder, ".new-"));
  try {
    for (let rest = wheels; rest.length > 0;) {
      const now = rest.filter(({ name }, index) => rest.findIndex((other) => other.name === name) === index);
      rest = rest.filter((wheel) => !now.includes(wheel));
      await downloadOnce(place, now);
    }
    for (const wheel of wheels) {
      if (!(await isPresent(place, wheel))) throw new Error(`the index has another ${wheel.fileName}`);
      fs.renameSync(join(place, wheel.fileName), join(folder, wheel.fileName));
    }
  } finally {
    fs.rmSync(place, { recursive: true, force: true });
  }
}

async function downloadOnce(place: string, wheels: readonly TestWheel[]): Promise<void> {
  const list = join(place, "requirements.txt");
  const lines = wheels.map(({ name, version, sha256 }) => `${name}==${version} --hash=sha256:${sha256}\n`);
  fs.writeFileSync(list, lines.join(""));
  const platforms = PLATFORMS.flatMap((name) => ["--platform", `${name}_x86_64`]);
  const target = ["--python-version", "3.11", "--only-binary", ":all:", ...platforms];
  const args = ["-m", "pip", "download", "-q", "--no-deps", "--no-cache-dir", ...target, "-d", place, "-r", list];
  const pip = spawn("python3", args, { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  pip.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const code = await new Promise((done) => pip.once("close", done));
  if (code !== 0) throw new Error(`pip download of ${wheels.length} wheels: ${errors.trim().slice(-300)}`);
}

/** The project that a wheel or sdist is of, by its name; normalised. */
export function projectOf(path: string): string {
  const file = basename(path);
  const name = file.endsWith(".whl") ? file.split("-")[0] : /^(.+)-[^-]+\.(?:tar\.gz|zip)$/.exec(file)?.[1];
  if (name === undefined) throw new Error(`${file} is neither a wheel nor an sdist`);
  return name.replaceAll(/[-_.]+/g, "-").toLowerCase();
}
