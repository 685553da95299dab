// SPDX-License-Identifier: Apache-2.0
/* What belongs to NVIDIA's driver besides its libraries, each with the part of the driver that needs it. */
import { join, posix } from "node:path";
import { namesIn, readFact, statusOf } from "../host/read.ts";
import type { CdiMount } from "../types.ts";
import type { DriverCapability } from "./capabilities.ts";
import { realPathIn } from "./real-path.ts";

/** Options of files that are only read. */
export const READ_ONLY: readonly string[] = ["ro", "nosuid", "nodev", "rbind", "rprivate"];
/** Of sockets: who connects has to write. */
const SOCKET: readonly string[] = ["nosuid", "nodev", "rbind", "rprivate", "noexec"];

type Wanted = ReadonlySet<DriverCapability>;
type Row = readonly [name: string, ...parts: readonly DriverCapability[]];

const PROGRAM_FOLDERS: readonly string[] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/opt/bin"];
const PROGRAMS: readonly Row[] = [
  ["nvidia-smi", "utility"],
  ["nvidia-debugdump", "utility"],
  ["nvidia-persistenced", "utility"],
  ["nv-fabricmanager", "utility"],
  ["nvidia-imex", "utility"],
  ["nvidia-imex-ctl", "utility"],
  ["nvidia-cuda-mps-control", "compute"],
  ["nvidia-cuda-mps-server", "compute"],
  ["nvidia-xconfig", "graphics", "display"],
];

const SOCKETS: readonly Row[] = [
  ["/run/nvidia-persistenced/socket", "utility"],
  ["/run/nvidia-fabricmanager/socket", "utility"],
  ["/tmp/nvidia-mps", "compute"],
];

const CONFIG_FOLDERS: readonly string[] = ["/etc", "/usr/local/share", "/usr/share"];
/** Found in any of the folders above, given at this one, where the loaders of EGL, Vulkan and OpenCL look. */
const CONFIGS: readonly (readonly [root: string, ...row: Row])[] = [
  ["/usr/share", "glvnd/egl_vendor.d/10_nvidia.json", "graphics"],
  ["/usr/share", "egl/egl_external_platform.d/15_nvidia_gbm.json", "graphics"],
  ["/usr/share", "egl/egl_external_platform.d/10_nvidia_wayland.json", "graphics"],
  ["/usr/share", "egl/egl_external_platform.d/09_nvidia_wayland2.json", "graphics"],
  ["/usr/share", "egl/egl_external_platform.d/20_nvidia_xcb.json", "graphics"],
  ["/usr/share", "egl/egl_external_platform.d/20_nvidia_xlib.json", "graphics"],
  ["/usr/share", "nvidia/nvoptix.bin", "graphics"],
  ["/usr/share", "X11/xorg.conf.d/10-nvidia.conf", "display"],
  ["/usr/share", "X11/xorg.conf.d/nvidia-drm-outputclass.conf", "display"],
  ["/etc", "OpenCL/vendors/nvidia.icd", "compute", "graphics"],
  ["/etc", "vulkan/icd.d/nvidia_icd.json", "graphics"],
  ["/etc", "vulkan/icd.d/nvidia_layers.json", "graphics"],
  ["/etc", "vulkan/implicit_layer.d/nvidia_layers.json", "graphics"],
  ["/etc", "vulkan/icd.d/nvidia_icd.x86_64.json", "graphics"],
  ["/etc", "vulkan/icd.d/nvidia_icd.aarch64.json", "graphics"],
];

/** A file of the host and where a container gets it, both below the driver's root. */
export interface PlacedFile {
  readonly path: string;
  readonly target: string;
}

/** Programs of the parts; `folder` is where a container gets them. */
export function programs(root: string, wanted: Wanted, folder: string): readonly PlacedFile[] {
  return PROGRAMS.filter((row) => isWanted(row, wanted)).flatMap(([name]) => {
    const path = firstFile(root, PROGRAM_FOLDERS, name);
    return path === undefined ? [] : [{ path, target: posix.join(folder, name) }];
  });
}

/** Configuration of the loaders of EGL, Vulkan and OpenCL, which find no NVIDIA GPU without it. */
export function configs(root: string, wanted: Wanted): readonly PlacedFile[] {
  return CONFIGS.filter(([, ...row]) => isWanted(row, wanted)).flatMap(([base, name]) => {
    const path = firstFile(root, CONFIG_FOLDERS, name);
    return path === undefined ? [] : [{ path, target: posix.join(base, name) }];
  });
}

/** Firmware of the GPU's own processor: before Linux 5.10 the kernel looked for it in the container. */
export function firmware(root: string, kernel: string, version: string): readonly PlacedFile[] {
  const release = readFact(join(kernel, "proc/sys/kernel/osrelease")) ?? "";
  const own = readFact(join(kernel, "sys/module/firmware_class/parameters/path")) ?? "";
  const usual = ["/lib/firmware/updates", "/lib/firmware"].flatMap((folder) => [
    ...(release === "" ? [] : [`${folder}/${release}`]),
    folder,
  ]);
  const folders = [...(own.startsWith("/") ? [own] : []), ...usual].map((folder) => `${folder}/nvidia/${version}`);
  const folder = folders.find((one) => namesIn(join(root, one)).some(isFirmware));
  if (folder === undefined) return [];
  return namesIn(join(root, folder))
    .filter(isFirmware)
    .map((name) => ({ path: posix.join(folder, name), target: posix.join(folder, name) }));
}

function isFirmware(name: string): boolean {
  return /^gsp.*\.bin$/.test(name);
}

/** Modules that graphics libraries and servers look for in folders of their own, given where the host has them. */
export function modules(
  root: string,
  folders: readonly string[],
  version: string,
  wanted: Wanted,
): readonly PlacedFile[] {
  const graphics = wanted.has("graphics") ? ["gbm/nvidia-drm_gbm.so"] : [];
  const names = ["nvidia_drv.so", `libglxserver_nvidia.so.${version}`, "libglxserver_nvidia.so"];
  const places = ["nvidia/xorg", "xorg/modules/drivers", "xorg/modules/extensions", "xorg/modules/updates/drivers"];
  const display = wanted.has("display") ? places.flatMap((place) => names.map((name) => `${place}/${name}`)) : [];
  return folders.flatMap((folder) =>
    [...graphics, ...display].flatMap((name) => {
      const target = posix.join(folder, name);
      const path = realPathIn(root, target);
      return path === undefined ? [] : [{ path, target }];
    }),
  );
}

/** Sockets of the driver's daemons, and the folder of the one that shares a GPU. */
export function sockets(root: string, wanted: Wanted): readonly CdiMount[] {
  const found = SOCKETS.filter((row) => isWanted(row, wanted) && statusOf(join(root, row[0])) !== undefined);
  return found.map(([path]) => ({ hostPath: join(root, path), containerPath: path, options: SOCKET }));
}

function isWanted([, ...parts]: Row, wanted: Wanted): boolean {
  return parts.some((part) => wanted.has(part));
}

function firstFile(root: string, folders: readonly string[], name: string): string | undefined {
  return folders.flatMap((folder) => realPathIn(root, posix.join(folder, name)) ?? [])[0];
}

/** Mounts that bring files, only to be read. */
export function mountsOf(root: string, files: readonly PlacedFile[]): readonly CdiMount[] {
  return files.map(({ path, target }) => ({ hostPath: join(root, path), containerPath: target, options: READ_ONLY }));
}
