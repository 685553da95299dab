// SPDX-License-Identifier: Apache-2.0
/* Which part of the driver does what, as NVIDIA_DRIVER_CAPABILITIES divides it. */

/** A part of NVIDIA's driver that a container can get. */
export type DriverCapability = "compute" | "compat32" | "graphics" | "utility" | "video" | "display" | "ngx";

/** All there are. */
export const DRIVER_CAPABILITIES: readonly DriverCapability[] = [
  "compute",
  "compat32",
  "graphics",
  "utility",
  "video",
  "display",
  "ngx",
];

/** Libraries by the part that needs them; one may be in several. */
const LIBRARIES: Readonly<Record<Exclude<DriverCapability, "compat32">, readonly string[]>> = {
  utility: ["libnvidia-ml", "libnvidia-cfg", "libnvidia-nscq"],
  compute: [
    "libcuda",
    "libcudadebugger",
    "libnvidia-opencl",
    "libnvidia-gpucomp",
    "libnvidia-ptxjitcompiler",
    "libnvidia-fatbinaryloader",
    "libnvidia-allocator",
    "libnvidia-compiler",
    "libnvidia-pkcs11",
    "libnvidia-pkcs11-openssl3",
    "libnvidia-nvvm",
    "libnvidia-nvvm70",
    "libnvidia-tileiras",
  ],
  video: ["libvdpau_nvidia", "libnvidia-encode", "libnvidia-opticalflow", "libnvcuvid"],
  graphics: [
    "libnvidia-eglcore",
    "libnvidia-glcore",
    "libnvidia-tls",
    "libnvidia-glsi",
    "libnvidia-fbc",
    "libnvidia-ifr",
    "libnvidia-rtcore",
    "libnvoptix",
    "libGLX_nvidia",
    "libEGL_nvidia",
    "libGLESv2_nvidia",
    "libGLESv1_CM_nvidia",
    "libnvidia-glvkspirv",
    "libnvidia-cbl",
    "libnvidia-gpucomp",
    "libnvidia-allocator",
    "libnvidia-vulkan-producer",
    "libnvidia-egl-gbm",
    "libnvidia-egl-wayland",
    "libnvidia-egl-wayland2",
    "libnvidia-egl-xcb",
    "libnvidia-egl-xlib",
    "libGL",
    "libEGL",
    "libGLESv1_CM",
    "libGLESv2",
  ],
  display: [],
  ngx: ["libnvidia-ngx"],
};

const KNOWN = new Set(Object.values(LIBRARIES).flat());

/** True when one of the parts needs a library; one that no table knows is new, and goes along. */
export function needsLibrary(stem: string, wanted: ReadonlySet<DriverCapability>): boolean {
  if (!KNOWN.has(stem)) return true;
  return Object.entries(LIBRARIES).some(([part, names]) => names.includes(stem) && has(wanted, part));
}

function has(wanted: ReadonlySet<DriverCapability>, part: string): boolean {
  return [...wanted].some((one) => one === part);
}
