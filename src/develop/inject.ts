// SPDX-License-Identifier: Apache-2.0
/*
 * Python distributions beside an image: resolved for the image's interpreter, fetched and checked as those of builds,
 * unpacked once into a folder of the store, and mounted read-only into a container. The image stays as it is.
 *
 *     cache/inject/<key>/
 *       site/   what would be site-packages
 *       data/   shared files     bin/   programs
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { TareError, digestOfValue, ensureDirectory, hexOf, isTareError } from "../base/index.ts";
import { installWheels, readLock, resolve, selectFromLock } from "../python/index.ts";
import type { PythonTarget, SelectedPackage, UvPlace } from "../python/index.ts";

/** What is put beside the image. */
export interface InjectRequest {
  /** As in a requirements file. */
  readonly requirements: readonly string[];
  /** `name==version` of what the image has: nothing may want another version of these. */
  readonly constraints: readonly string[];
  /** Names that the image has already. */
  readonly present: ReadonlySet<string>;
  readonly target: PythonTarget;
  readonly signal?: AbortSignal;
}

/** A folder with distributions. */
export interface Injected {
  /** Absolute, on this host. */
  readonly folder: string;
  /** By name. */
  readonly versions: ReadonlyMap<string, string>;
}

const SCHEME = { purelib: "/site", platlib: "/site", scripts: "/bin", headers: "/include", data: "/data" };

/** The folder with the distributions; made when it is not there yet. Throws as `resolve`, `fetch` and `installWheels`. */
export async function injectedFolder(place: UvPlace, request: InjectRequest): Promise<Injected> {
  const lease = place.store.lease();
  try {
    const chosen = await choose(place, lease.folder, request);
    const versions = new Map(chosen.map(({ name, version = "" }) => [name, version]));
    const key = hexOf(
      digestOfValue([request.target.version, chosen.map(({ wheel }) => wheel?.digest ?? wheel?.fileName)]),
    );
    const folder = join(place.store.root, "cache", "inject", key.slice(0, 24));
    if (!fs.existsSync(folder)) await unpack(place, { chosen, folder, work: join(lease.folder, "tree"), request });
    // Prune leaves alone what was asked for a moment ago.
    fs.utimesSync(folder, new Date(), new Date());
    return { folder, versions };
  } finally {
    lease.release();
  }
}

async function choose(place: UvPlace, folder: string, request: InjectRequest): Promise<readonly SelectedPackage[]> {
  const { requirements, constraints, present, target } = request;
  const files = [join(folder, "requirements.txt"), join(folder, "constraints.txt")] as const;
  fs.writeFileSync(files[0], requirements.map((line) => `${line}\n`).join(""));
  fs.writeFileSync(files[1], constraints.map((line) => `${line}\n`).join(""));
  const limits = constraints.length === 0 ? {} : { constraints: [files[1]] };
  const { pylock } = await resolve(place, { folder, files: [files[0]], target, ...limits });
  const all = selectFromLock(readLock(pylock, "pylock.toml"), target, { extras: [], groups: [] });
  return all.filter(({ name }) => !present.has(name));
}

interface Unpacking {
  readonly chosen: readonly SelectedPackage[];
  readonly folder: string;
  readonly work: string;
  readonly request: InjectRequest;
}

async function unpack(place: UvPlace, { chosen, folder, work, request }: Unpacking): Promise<void> {
  const { target, signal } = request;
  const call = signal === undefined ? {} : { signal };
  const files = chosen.map(({ name, wheel }) => {
    if (wheel) return wheel;
    throw new TareError("E_NO_WHEEL", `fetching \`${name}\`: it has no wheel for Python ${target.version}`, {
      hint: "install it in the image",
    });
  });
  const wheels = await (await place.wheels()).fetch(files, call);
  const asked = wheels.map(({ path, fileName }) => ({ file: path, fileName, isRequested: false }));
  const python = target.version.split(".").slice(0, 2).join(".");
  fs.mkdirSync(work, { mode: 0o755 });
  await installWheels(asked, work, { scheme: SCHEME, executable: target.executable, python, slim: [] }, signal);
  fs.chmodSync(work, 0o755);
  ensureDirectory(join(folder, ".."));
  publish(work, folder);
}

/** Another command may have made the same meanwhile. */
function publish(work: string, folder: string): void {
  try {
    fs.renameSync(work, folder);
  } catch (error) {
    if (!fs.existsSync(folder) || isTareError(error)) throw error;
  }
}
