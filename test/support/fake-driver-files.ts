// SPDX-License-Identifier: Apache-2.0
/* What an installed NVIDIA driver consists of, by the names that its installer gives. */

/** `V` in a name stands for the driver's version; `links` are the names beside the file that lead to it. */
export interface DriverLibrary {
  readonly file: string;
  readonly soname: string;
  readonly links: readonly string[];
  /** Below the library folder. */
  readonly folder?: string;
}

const plain = (name: string, number: number): DriverLibrary => {
  const soname = `${name}.so.${number}`;
  return { file: `${name}.so.V`, soname, links: [soname] };
};
const developed = (name: string, number: number): DriverLibrary => {
  const library = plain(name, number);
  return { ...library, links: [...library.links, `${name}.so`] };
};
const inner = (name: string): DriverLibrary => ({ file: `${name}.so.V`, soname: `${name}.so.V`, links: [] });

export const DRIVER_LIBRARIES: readonly DriverLibrary[] = [
  developed("libcuda", 1),
  developed("libnvidia-ml", 1),
  plain("libcudadebugger", 1),
  plain("libnvidia-cfg", 1),
  plain("libnvidia-opencl", 1),
  plain("libnvidia-ptxjitcompiler", 1),
  plain("libnvidia-nvvm", 4),
  plain("libnvidia-allocator", 1),
  inner("libnvidia-gpucomp"),
  developed("libnvidia-encode", 1),
  developed("libnvidia-opticalflow", 1),
  developed("libnvcuvid", 1),
  { ...plain("libvdpau_nvidia", 1), folder: "vdpau" },
  plain("libGLX_nvidia", 0),
  plain("libEGL_nvidia", 0),
  plain("libGLESv2_nvidia", 2),
  plain("libGLESv1_CM_nvidia", 1),
  plain("libnvoptix", 1),
  inner("libnvidia-eglcore"),
  inner("libnvidia-glcore"),
  inner("libnvidia-tls"),
  inner("libnvidia-glsi"),
  inner("libnvidia-rtcore"),
  inner("libnvidia-glvkspirv"),
  plain("libnvidia-ngx", 1),
  { file: "libnvidia-egl-gbm.so.1.1.0", soname: "libnvidia-egl-gbm.so.1", links: ["libnvidia-egl-gbm.so.1"] },
  {
    file: "libglxserver_nvidia.so.V",
    soname: "libglxserver_nvidia.so",
    links: ["libglxserver_nvidia.so"],
    folder: "nvidia/xorg",
  },
];

/** Files of every kind but libraries and programs, with something in them. */
export const DRIVER_FILES: readonly string[] = [
  "/lib/firmware/nvidia/V/gsp_ga10x.bin",
  "/lib/firmware/nvidia/V/gsp_tu10x.bin",
  "/usr/share/glvnd/egl_vendor.d/10_nvidia.json",
  "/usr/share/egl/egl_external_platform.d/15_nvidia_gbm.json",
  "/usr/share/nvidia/nvoptix.bin",
  "/usr/share/vulkan/icd.d/nvidia_icd.json",
  "/usr/share/vulkan/implicit_layer.d/nvidia_layers.json",
  "/usr/share/X11/xorg.conf.d/10-nvidia.conf",
  "/etc/OpenCL/vendors/nvidia.icd",
];

export const DRIVER_PROGRAMS: readonly string[] = [
  "nvidia-debugdump",
  "nvidia-persistenced",
  "nvidia-cuda-mps-control",
  "nvidia-cuda-mps-server",
  "nvidia-modprobe",
];

/** What WSL2 has in /usr/lib/wsl/lib, and in the folder of the Windows driver. */
export const WSL_LIBRARIES: readonly string[] = [
  "libdxcore.so",
  "libcuda.so",
  "libcuda.so.1",
  "libcuda.so.1.1",
  "libnvidia-ml.so.1",
];
export const WSL_DRIVER_FILES: readonly string[] = [
  "libcuda.so.1.1",
  "libcuda_loader.so",
  "libnvidia-ptxjitcompiler.so.1",
  "libnvidia-ml.so.1",
  "libnvidia-ml_loader.so",
  "libnvdxgdmal.so.1",
  "nvcubins.bin",
];
