// SPDX-License-Identifier: Apache-2.0
/*
 * Sources become wheels in a container of the base, by `uv build`, which brings what they need to be built. A wheel is
 * built once for its sources, Python and platform, whatever the project, and stays in the store as any other wheel.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { Semaphore, TareError, isTareError } from "../base/index.ts";
import { builtWheelKey, builtWheels, parseWheelName } from "../python/index.ts";
import { buildHint } from "./build-wheel-hint.ts";
import { OUT, SOURCE, UV, runIsolated, whyNotIsolated } from "./isolated.ts";
import { openSources } from "./wheel-sources.ts";
import type { BuildInput, BuiltWheel, DistributionFile, SelectedPackage } from "../python/index.ts";
import type { IsolatedPlace } from "./isolated.ts";
import type { WheelSources } from "./wheel-sources.ts";

/**
 * The wheels of packages that have none, by name: from the store, or built now. Throws `E_BUILD_WHEEL` naming what
 * failed, or why it can't be tried.
 */
export async function buildWheels(
  place: IsolatedPlace,
  packages: readonly SelectedPackage[],
): Promise<ReadonlyMap<string, DistributionFile>> {
  const slots = new Semaphore(AT_ONCE);
  const wheels = new Map<string, DistributionFile>();
  const results = await Promise.allSettled(
    packages.map((each) => slots.run(async () => void wheels.set(each.name, await wheelOf(place, each)))),
  );
  // Nothing goes on in the background when the first failure is told.
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return wheels;
}

/** Compilers use several cores by themselves. */
const AT_ONCE = 2;

async function wheelOf(place: IsolatedPlace, each: SelectedPackage): Promise<DistributionFile> {
  const sources = await openSources(place, each);
  try {
    return await knownOrBuilt(place, each, sources);
  } finally {
    sources.close();
  }
}

async function knownOrBuilt(
  place: IsolatedPlace,
  each: SelectedPackage,
  sources: WheelSources,
): Promise<DistributionFile> {
  const { target, packages } = place;
  const { subdirectory } = sources;
  const inner = subdirectory === undefined ? {} : { subdirectory };
  const input: BuildInput = { source: sources.identity, ...inner, target, packages };
  const key = builtWheelKey(input);
  const known = builtWheels(place.place.store).get(key);
  const { blobs } = place.place.store;
  if (known && blobs.has(known.digest)) return fileOf(place, known);
  const why = whyNotIsolated();
  if (why !== undefined) throw notHere(each, why);
  const started = Date.now();
  const path = await build(place, each, sources);
  const wheel = await keep(place, each, { key, input, path, seconds: (Date.now() - started) / 1000 });
  return fileOf(place, wheel);
}

function fileOf({ place }: IsolatedPlace, { fileName, digest, size }: BuiltWheel): DistributionFile {
  return { fileName, digest, size, path: place.store.blobs.path(digest) };
}

/** What the container runs: puts the sources where the build may write, always at one path, and starts uv. */
const BUILD_PY = `import os, shutil, sys, tarfile, zipfile
uv, source, inner, out = sys.argv[1:]
work = "/tmp/tare-source"
names = os.listdir(source)
archive = os.path.join(source, names[0]) if len(names) == 1 else ""
if os.path.isfile(archive):
    os.makedirs(work)
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as files:
            files.extractall(work)
    else:
        with tarfile.open(archive) as files:
            files.extractall(work, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    names = os.listdir(work)
    if len(names) == 1 and os.path.isdir(os.path.join(work, names[0])):
        work = os.path.join(work, names[0])
else:
    shutil.copytree(source, work, symlinks=True)
sys.stdout.flush()
folder = os.path.join(work, inner)
os.execv(uv, [uv, "build", "--wheel", "--color=never", "--python", sys.executable, "--out-dir", out, folder])
`;

async function build(place: IsolatedPlace, each: SelectedPackage, sources: WheelSources): Promise<string> {
  const { executable } = place.target;
  const inner = sources.subdirectory ?? "";
  const command = {
    label: `build a wheel of ${titleOf(each)}`,
    args: [executable, "-I", "-c", BUILD_PY, UV, SOURCE, inner, OUT],
    folders: { [SOURCE]: sources.files },
  };
  const folder = await run(place, each, command);
  const [wheel] = folder === undefined ? [] : fs.readdirSync(folder).filter((name) => name.endsWith(".whl"));
  if (folder !== undefined && wheel !== undefined) return join(folder, wheel);
  throw new TareError("E_BUILD_WHEEL", `building a wheel of ${titleOf(each)}: the build made none`, {
    hint: "its output is above",
  });
}

async function run(
  place: IsolatedPlace,
  each: SelectedPackage,
  command: Parameters<typeof runIsolated>[1],
): Promise<string | undefined> {
  try {
    return await runIsolated(place, command);
  } catch (error) {
    if (!isTareError(error, "E_RUN_FAILED")) throw error;
    const output = String(error.details["output"] ?? "");
    const { reason, hint } = buildHint(output, place.packages);
    throw new TareError("E_BUILD_WHEEL", `building a wheel of ${titleOf(each)}: ${reason}`, {
      hint,
      details: { output },
      cause: error,
    });
  }
}

function titleOf({ name, version }: SelectedPackage): string {
  return version === undefined ? name : `${name} ${version}`;
}

function notHere(each: SelectedPackage, why: string): TareError {
  return new TareError(
    "E_BUILD_WHEEL",
    `building a wheel of ${titleOf(each)}: it comes as sources, which are built in a container, and ${why}`,
    {
      hint: "choose a version that has a wheel, or bring a built one: build as root, or `tare wheels pull`",
    },
  );
}

/** Puts the wheel into the store and remembers what it was built from. */
async function keep(
  { place, signal, platform, target }: IsolatedPlace,
  each: SelectedPackage,
  made: {
    readonly key: BuiltWheel["key"];
    readonly input: BuildInput;
    readonly path: string;
    readonly seconds: number;
  },
): Promise<BuiltWheel> {
  const fileName = made.path.split("/").at(-1) ?? "";
  const { name, version } = parseWheelName(fileName);
  if (name !== each.name)
    throw new TareError("E_BUILD_WHEEL", `building a wheel of ${titleOf(each)}: its sources are those of ${name}`, {
      hint: "the lock or the requirement names another package than its sources do",
    });
  const [stored] = await (await place.wheels()).fetch([{ fileName, path: made.path }], { signal });
  if (!stored) throw new Error("fetch gives a file for each");
  const wheel: BuiltWheel = {
    key: made.key,
    fileName,
    digest: stored.digest,
    size: stored.size,
    name,
    version,
    source: made.input.source,
    python: target.version.split(".").slice(0, 2).join("."),
    platform: `${platform.os}/${platform.architecture}`,
    seconds: Math.round(made.seconds * 10) / 10,
  };
  remember(place, wheel);
  return wheel;
}

/** Another command may have built the same meanwhile: either stands for both. */
function remember({ store }: IsolatedPlace["place"], wheel: BuiltWheel): void {
  builtWheels(store).put(wheel.key, wheel);
}
