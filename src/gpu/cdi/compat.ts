// SPDX-License-Identifier: Apache-2.0
/*
 * Forward compatibility (NVIDIA, "CUDA Compatibility"): an image may bring a libcuda that is newer than the driver's, in
 * /usr/local/cuda/compat. It goes before the driver's where its own note names the branch of the driver; without a note,
 * where it is of a newer branch. Data centre GPUs alone can be used through it, others only without it.
 */
import { posix } from "node:path";
import { isTareError } from "../../base/index.ts";
import { resolveInTree } from "../../store/index.ts";
import type { SourceTree } from "../../store/index.ts";
import { isDataCentre } from "../check/driver.ts";
import { discoverGpus } from "../host/discover.ts";
import type { HostPlace } from "../host/roots.ts";
import { compatOf } from "../needs/toolkit.ts";
import type { HostGpu } from "../types.ts";
import { compareDotted, majorOf } from "../versions.ts";
import type { CdiResolution } from "./registry.ts";

const FOLDER = "/usr/local/cuda/compat";

/** What a container gets, and the GPUs among it. */
interface Given extends CdiResolution {
  readonly gpus: readonly HostGpu[];
}

/**
 * The same with the libcuda of the container's own files before the driver's, where these go together. Specifications of
 * files are left as they are: NVIDIA's have a hook for it. Throws `E_IO` for files that can't be read.
 */
export function withCompat(given: Given, tree: SourceTree, place: HostPlace): CdiResolution {
  const { edits, files, gpus } = given;
  const own = edits.searchPaths?.["LD_LIBRARY_PATH"];
  const nvidia = gpus.filter(({ vendor }) => vendor === "nvidia");
  if (own === undefined || nvidia.length === 0 || nvidia.some((gpu) => isDataCentre(gpu) !== true)) return given;
  const library = compatLibrary(tree);
  if (library === undefined) return given;
  const driver = discoverGpus(place).drivers.find(({ vendor }) => vendor === "nvidia")?.version;
  if (driver === undefined || !isForDriver(library, driver)) return given;
  return { files, edits: { ...edits, searchPaths: { ...edits.searchPaths, LD_LIBRARY_PATH: [FOLDER, ...own] } } };
}

interface CompatLibrary {
  readonly version: string;
  readonly drivers: readonly number[];
}

/** Undefined when there is none, or more than one. */
function compatLibrary(tree: SourceTree): CompatLibrary | undefined {
  const folder = realFolder(tree);
  const names = folder === undefined ? [] : tree.list(folder).map(({ path }) => posix.basename(path));
  const [name, ...others] = names.filter((one) => /^libcuda\.so\.\d+\.[\d.]+$/.test(one));
  if (folder === undefined || name === undefined || others.length > 0) return undefined;
  const [found] = compatOf(tree, posix.join(folder, name));
  const version = found?.facts.version;
  return version === undefined ? undefined : { version, drivers: found?.facts.drivers ?? [] };
}

/** Undefined for links of an image that lead round in a circle: no library is found there by anybody. */
function realFolder(tree: SourceTree): string | undefined {
  try {
    return resolveInTree(tree, FOLDER.slice(1));
  } catch (error) {
    if (isTareError(error) && error.code === "E_IO") return undefined;
    throw error;
  }
}

function isForDriver({ version, drivers }: CompatLibrary, driver: string): boolean {
  if (drivers.length === 0) return majorOf(version) > majorOf(driver);
  return drivers.includes(majorOf(driver)) && compareDotted(version, driver) > 0;
}
