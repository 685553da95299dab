// SPDX-License-Identifier: Apache-2.0
/*
 * The libraries of NVIDIA's driver: every `*.so.<version>` of the folders that have libraries of the loaded kernel
 * module's version. Files of another version, left by an older installation, are not the driver's.
 */
import { join, posix } from "node:path";
import { namesIn } from "../host/read.ts";
import { loaderCachePaths } from "./loader-cache.ts";
import { realPathIn } from "./real-path.ts";
import { readSharedObject } from "./shared-object.ts";

/** A library of the driver. */
export interface DriverLibrary {
  /** `libcuda.so.535.104.05` */
  readonly name: string;
  /** `libcuda` */
  readonly stem: string;
  /** Where it is below the driver's root, links followed. */
  readonly path: string;
  readonly bits: 32 | 64;
  /** Other names that programs open it by: `libcuda.so.1`, `libcuda.so`. */
  readonly links: readonly string[];
}

const FOLDERS: readonly string[] = [
  "/usr/lib64",
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib/x86_64-linux-gnu/nvidia/current",
  "/usr/lib/aarch64-linux-gnu/nvidia/current",
  "/lib64",
  "/lib/x86_64-linux-gnu",
  "/lib/aarch64-linux-gnu",
  "/lib/x86_64-linux-gnu/nvidia/current",
  "/lib/aarch64-linux-gnu/nvidia/current",
  "/usr/lib",
  "/usr/lib/i386-linux-gnu",
  "/usr/lib/i386-linux-gnu/nvidia/current",
  "/usr/lib32",
];

/** Versions of their own have these, and still they are the driver's. */
const OWN_VERSION = /^lib(?:nvidia-nvvm70|nvidia-egl-(?:gbm|wayland|wayland2|xcb|xlib))\.so\.\d+\.\d+/;

/** Names that programs open although the library itself does not say them. */
const EXTRA_LINKS: Readonly<Record<string, readonly string[]>> = {
  libcuda: ["libcuda.so"],
  libGLX_nvidia: ["libGLX_indirect.so.0"],
  "libnvidia-opticalflow": ["libnvidia-opticalflow.so"],
  // The loader of VDPAU looks for this in the usual folders when its own has nothing.
  libvdpau_nvidia: ["libvdpau_nvidia.so"],
};

/** The driver's libraries, each name once; empty when those of this version are nowhere. */
export function driverLibraries(root: string, version: string): readonly DriverLibrary[] {
  const found = new Map<string, DriverLibrary>();
  for (const folder of driverFolders(root, version)) {
    for (const library of librariesIn(root, folder, version)) {
      const key = `${library.bits} ${library.name}`;
      if (!found.has(key)) found.set(key, library);
    }
  }
  return [...found.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

/** Versions of which there is a `libcuda` or `libnvidia-ml` in the usual folders or the loader's cache. */
export function installedVersions(root: string): readonly string[] {
  const names = [...FOLDERS, ...cacheFolders(root)].flatMap((folder) => namesIn(join(root, folder)));
  const versions = names.flatMap((name) => /^lib(?:cuda|nvidia-ml)\.so\.(\d+\.[\d.]+)$/.exec(name)?.[1] ?? []);
  return [...new Set(versions)].toSorted();
}

/** Folders with libraries of that version: the usual ones, or else those of the loader's cache. */
export function driverFolders(root: string, version: string): readonly string[] {
  const has = (folder: string): boolean =>
    namesIn(join(root, folder)).some((name) => name.startsWith("lib") && name.endsWith(`.so.${version}`));
  const usual = uniqueReal(root, FOLDERS).filter(has);
  const all = usual.length > 0 ? usual : uniqueReal(root, cacheFolders(root)).filter(has);
  return all.flatMap((folder) => [folder, ...uniqueReal(root, [posix.join(folder, "vdpau")])]);
}

function cacheFolders(root: string): readonly string[] {
  const paths = loaderCachePaths(join(root, "etc/ld.so.cache"));
  return paths.filter((path) => /\/lib(?:cuda|nvidia-ml)\.so\.1$/.test(path)).map((path) => posix.dirname(path));
}

function uniqueReal(root: string, folders: readonly string[]): readonly string[] {
  return [...new Set(folders.flatMap((folder) => realPathIn(root, folder) ?? []))];
}

function librariesIn(root: string, folder: string, version: string): readonly DriverLibrary[] {
  const names = namesIn(join(root, folder));
  const wanted = names.filter((name) => name.endsWith(`.so.${version}`) || OWN_VERSION.test(name));
  return wanted.filter((name) => name.startsWith("lib")).flatMap((name) => libraryOf(root, { folder, names, name }));
}

interface Candidate {
  readonly folder: string;
  /** Everything in the folder. */
  readonly names: readonly string[];
  readonly name: string;
}

function libraryOf(root: string, { folder, names, name }: Candidate): readonly DriverLibrary[] {
  const path = realPathIn(root, posix.join(folder, name));
  // A link to another of these, as `libnvidia-egl-gbm.so.1.1` to `.so.1.1.0`, is one of its names.
  if (path === undefined || posix.basename(path) !== name) return [];
  const object = readSharedObject(join(root, path));
  if (object === undefined) return [];
  const stem = name.slice(0, name.indexOf(".so."));
  const beside = names.filter(
    (other) => other !== name && other.startsWith(`${stem}.so`) && realPathIn(root, posix.join(folder, other)) === path,
  );
  const own = object.soname === undefined ? [] : [object.soname];
  const links = [...new Set([...own, ...beside, ...(EXTRA_LINKS[stem] ?? [])])].filter((link) => link !== name);
  return [{ name, stem, path, bits: object.bits, links: links.toSorted() }];
}
