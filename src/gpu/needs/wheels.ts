// SPDX-License-Identifier: Apache-2.0
import { openZip } from "../../archive/index.ts";
import type { ZipEntry } from "../../archive/index.ts";
import { isTareError } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { Store } from "../../store/index.ts";
import type { GpuPackage } from "../types.ts";
import { needsOfDistribution, packageByName } from "./distribution.ts";
import { isRuntime } from "./metadata.ts";
import { wheelMemo } from "./memo.ts";
import type { WheelNeeds } from "./memo.ts";
import { isSharedObject } from "./signs.ts";
import { zipObject } from "./shared-object.ts";
import type { GpuWheel, NeedsOptions } from "./types.ts";

const LARGEST_METADATA = 8 << 20;

/**
 * What wheels need of GPUs, in their order; those that use none are left out. A wheel in the store is read once and
 * remembered by its digest; of one that is not there only its name can tell. Throws `E_ABORTED`.
 */
export async function needsOfWheels(
  store: Store,
  wheels: readonly GpuWheel[],
  options: NeedsOptions = {},
): Promise<readonly GpuPackage[]> {
  const found: GpuPackage[] = [];
  for (const wheel of wheels) {
    const one = await needsOfWheel(store, wheel, options);
    if (one !== undefined) found.push(one);
  }
  return withRuntime(found);
}

/** torch asks for one runtime exactly: that which stands beside it in a lock is it. */
function withRuntime(packages: readonly GpuPackage[]): readonly GpuPackage[] {
  const [runtime] = packages.flatMap(({ name, cuda }) => (isRuntime(name) && cuda !== undefined ? [cuda] : []));
  if (runtime === undefined) return packages;
  return packages.map((one) => {
    return one.name === "torch" && one.cuda === undefined && !one.version.includes("+")
      ? { ...one, cuda: runtime, source: "wheel" }
      : one;
  });
}

/** The same for one wheel. */
async function needsOfWheel(store: Store, wheel: GpuWheel, options: NeedsOptions): Promise<GpuPackage | undefined> {
  const { digest } = wheel;
  if (digest === undefined) return packageByName(wheel.name, wheel.version);
  const memo = wheelMemo(store);
  const known = memo.get(digest);
  if (known !== undefined) return known ?? undefined;
  const read = await readStored(store, digest, options);
  if (read === undefined) return packageByName(wheel.name, wheel.version);
  memo.put(digest, read);
  return read ?? undefined;
}

/** Undefined for a wheel that is not in the store or can't be read as one. */
async function readStored(store: Store, digest: Digest, options: NeedsOptions): Promise<WheelNeeds | undefined> {
  if (!store.blobs.has(digest)) return undefined;
  try {
    return (await needsOfWheelFile(store.blobs.path(digest), options)) ?? null;
  } catch (error) {
    // A damaged archive is the installer's to refuse; here nobody can tell what is in it.
    if (isTareError(error) && /^E_ZIP|^E_BOMB$/.test(error.code)) return undefined;
    throw error;
  }
}

/** What a wheel at a path needs of GPUs; undefined when it uses none. Throws `E_ZIP…`, `E_BOMB`, `E_IO`. */
async function needsOfWheelFile(path: string, options: NeedsOptions = {}): Promise<GpuPackage | undefined> {
  const zip = openZip(path);
  try {
    const metadata = zip.entries.find(({ name }) => /^[^/]+\.dist-info\/METADATA$/.test(name));
    if (metadata === undefined) return undefined;
    const text = zip.readEntry(metadata, LARGEST_METADATA).toString("utf8");
    const objects = zip.entries.filter(isObject).map((entry) => zipObject(zip, entry));
    return await needsOfDistribution({ metadata: text, objects }, options);
  } finally {
    zip.close();
  }
}

function isObject({ name, isDirectory }: ZipEntry): boolean {
  return !isDirectory && isSharedObject(name);
}
