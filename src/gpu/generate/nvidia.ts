// SPDX-License-Identifier: Apache-2.0
/*
 * NVIDIA's specification. It needs no hook: libraries are mounted under every name that programs open them by, in a tmpfs
 * of their own at the folder that NVIDIA's images have in LD_LIBRARY_PATH, so that no cache of the loader has to be
 * written, an image of any distribution finds them, and nothing of them stays in the container's upper directory.
 */
import { join, posix } from "node:path";
import { TareError } from "../../base/index.ts";
import { minimumVersion } from "../cdi/versions.ts";
import { rootsOf } from "../host/roots.ts";
import type { CdiEdits, CdiMount, CdiSpec, HostDriver, HostGpu, HostGpus, MigPart } from "../types.ts";
import { DRIVER_CAPABILITIES, needsLibrary } from "./capabilities.ts";
import type { DriverCapability } from "./capabilities.ts";
import { READ_ONLY, configs, firmware, modules, mountsOf, programs, sockets } from "./files.ts";
import { driverFolders, driverLibraries, installedVersions } from "./libraries.ts";
import type { DriverLibrary } from "./libraries.ts";
import { namedDevices } from "./names.ts";
import type { Nameable } from "./names.ts";
import { missingNodes, nodeEdits } from "./nodes.ts";
import type { NodeSource } from "./nodes.ts";
import type { GenerateOptions, GeneratedSpecs } from "./options.ts";

const FOLDER = "/usr/local/nvidia";
const [LIB64, LIB32, BIN] = [`${FOLDER}/lib64`, `${FOLDER}/lib`, `${FOLDER}/bin`];

interface Work {
  readonly root: string;
  readonly kernel: string;
  readonly version: string;
  readonly wanted: ReadonlySet<DriverCapability>;
  readonly source: NodeSource;
  readonly options: GenerateOptions;
}

/** Throws `E_GPU_DRIVER` when the driver's libraries are not there, or another version's. */
export function nvidiaSpec(host: HostGpus, driver: HostDriver, options: GenerateOptions): GeneratedSpecs {
  const roots = rootsOf(options);
  const { version = "" } = driver;
  const wanted = new Set(options.capabilities ?? DRIVER_CAPABILITIES);
  const source = { roots, hasGroups: options.hasGroups ?? true };
  const work: Work = { root: roots.driver, kernel: roots.kernel, version, wanted, source, options };
  const shared = nodeEdits(
    driver.nodes.filter((path) => isWantedNode(path, wanted)),
    source,
  );
  const gpus = host.gpus.filter(({ vendor }) => vendor === "nvidia");
  const found = gpus.map((gpu) => nameables(gpu, work));
  const missing = [...shared.missing, ...found.flatMap((one) => one.missing)];
  if (options.isPortable !== true) refuseWithout(missing, wanted);
  const devices = namedDevices(
    found.flatMap(({ devices: own }) => own),
    options,
  );
  if (devices.length === 0) return { specs: [], remarks: missingNodes(missing) };
  const spec: CdiSpec = {
    cdiVersion: "",
    kind: "nvidia.com/gpu",
    devices,
    containerEdits: { ...driverEdits(work), ...shared.edits },
  };
  return { specs: [{ ...spec, cdiVersion: minimumVersion(spec) }], remarks: missingNodes(missing) };
}

function isWantedNode(path: string, wanted: Work["wanted"]): boolean {
  if (path.startsWith("/dev/nvidia-uvm")) return wanted.has("compute");
  if (path === "/dev/nvidia-modeset") return wanted.has("display") || wanted.has("graphics");
  return !path.startsWith("/dev/dri/") || wanted.has("display") || wanted.has("graphics") || wanted.has("video");
}

/** CUDA finds no device without these, and frameworks would go on with the processor. */
function refuseWithout(missing: readonly string[], wanted: Work["wanted"]): void {
  const needed = missing.filter((path) => path !== "/dev/nvidia-modeset" && path !== "/dev/nvidia-uvm-tools");
  if (needed.length === 0 || !wanted.has("compute")) return;
  throw new TareError("E_GPU_DRIVER", `giving GPUs to a container: ${missingNodes(needed)[0] ?? ""}`, {
    hint: "`nvidia-smi` makes these nodes too; nvidia-persistenced keeps them from the start of the host on",
    exitCode: 125,
  });
}

interface Named {
  readonly devices: readonly Nameable[];
  readonly missing: readonly string[];
}

/** A GPU, or its parts when it has some. */
function nameables(gpu: HostGpu, { wanted, source }: Work): Named {
  const own = gpu.nodes.filter((path) => isWantedNode(path, wanted));
  if (gpu.mig.length === 0) {
    const { edits, missing } = nodeEdits(own, source);
    const index = String(gpu.index);
    return { devices: [{ names: { index, uuid: gpu.uuid, "type-index": `gpu${index}` }, edits }], missing };
  }
  // A part has the GPU's own node and not its graphics side.
  const parent = own.filter((path) => !path.startsWith("/dev/dri/"));
  const parts = gpu.mig.map((part) => ({ part, ...nodeEdits([...parent, ...part.nodes], source) }));
  return {
    devices: parts.map(({ part, edits }) => ({ names: migNames(gpu, part), edits })),
    missing: [...new Set(parts.flatMap(({ missing }) => missing))],
  };
}

function migNames(gpu: HostGpu, part: MigPart): Nameable["names"] {
  const index = `${gpu.index}:${part.index}`;
  return { index, uuid: part.uuid, "type-index": `mig${index}` };
}

/** What every device of the specification brings: the driver's files. */
function driverEdits(work: Work): CdiEdits {
  const { root, kernel, version, wanted, options } = work;
  const isPortable = options.isPortable === true;
  const libraries = wantedLibraries(work);
  const tools = programs(root, wanted, isPortable ? "/usr/bin" : BIN);
  const blobs = firmware(root, kernel, version);
  const daemons = sockets(root, wanted);
  const hasModules = wanted.has("graphics") || wanted.has("display");
  const own = hasModules ? modules(root, driverFolders(root, version), version, wanted) : [];
  const hasOld = libraries.some(({ bits }) => bits === 32);
  return {
    env: ["NVIDIA_VISIBLE_DEVICES=void", ...(isPortable ? [`LD_LIBRARY_PATH=${LIB32}:${LIB64}`] : [])],
    mounts: [
      ...[FOLDER, ...foldersOf(blobs.map(({ target }) => target)), ...foldersOf(runFiles(daemons))].map(emptyFolder),
      ...libraries.flatMap((library) => libraryMounts(root, library)),
      ...mountsOf(root, [...tools, ...configs(root, wanted), ...blobs, ...own]),
      ...daemons,
    ],
    ...(isPortable ? {} : { searchPaths: searchPaths({ hasOld, hasTools: tools.length > 0 }) }),
  };
}

/**
 * Throws `E_GPU_DRIVER`. Without `libcuda` no program could compute, and none would say why: frameworks take the
 * processor then.
 */
function wantedLibraries({ root, version, wanted }: Work): readonly DriverLibrary[] {
  const all = driverLibraries(root, version);
  const has = (stem: string): boolean => all.some((library) => library.stem === stem && library.bits === 64);
  if (!has("libcuda") && (wanted.has("compute") || !has("libnvidia-ml"))) throw withoutLibraries(root, version);
  return all.filter(({ stem, bits }) => needsLibrary(stem, wanted) && (bits === 64 || wanted.has("compat32")));
}

function withoutLibraries(root: string, version: string): TareError {
  const others = installedVersions(root).filter((one) => one !== version);
  const module = `NVIDIA's kernel module is version ${version}`;
  if (others.length > 0) {
    const message = `${module}, and the libraries in \`${root}\` are version ${others.join(", ")}`;
    const hint =
      "the driver was upgraded or replaced since the host started: restart it, or unload the module and load it anew";
    return new TareError("E_GPU_DRIVER", message, { hint, exitCode: 125 });
  }
  const hint =
    "install the driver's CUDA library of this version (Debian: libcuda1, Ubuntu: libnvidia-compute-…), or name where the driver is: `--driver-root`, NVIDIA_DRIVER_ROOT";
  return new TareError(
    "E_GPU_DRIVER",
    `${module}, and \`libcuda.so.${version}\` is not in the library folders of \`${root}\``,
    {
      hint,
      exitCode: 125,
    },
  );
}

function libraryMounts(root: string, library: DriverLibrary): readonly CdiMount[] {
  const folder = library.bits === 64 ? LIB64 : LIB32;
  return [library.name, ...library.links].map((name) => ({
    hostPath: join(root, library.path),
    containerPath: posix.join(folder, name),
    options: READ_ONLY,
  }));
}

interface Folders {
  readonly hasOld: boolean;
  readonly hasTools: boolean;
}

function searchPaths({ hasOld, hasTools }: Folders): NonNullable<CdiEdits["searchPaths"]> {
  return {
    LD_LIBRARY_PATH: [LIB64, ...(hasOld ? [LIB32] : [])],
    ...(hasTools ? { PATH: [BIN] } : {}),
  };
}

function runFiles(daemons: readonly CdiMount[]): readonly string[] {
  return daemons.map(({ containerPath }) => containerPath).filter((path) => path.startsWith("/run/"));
}

function foldersOf(paths: readonly string[]): readonly string[] {
  return [...new Set(paths.map((path) => posix.dirname(path)))];
}

/** A folder in memory: mount points in it are no files of the container. */
function emptyFolder(path: string): CdiMount {
  return { hostPath: "tmpfs", containerPath: path, type: "tmpfs", options: ["nosuid", "nodev", "mode=755", "size=1m"] };
}
