// SPDX-License-Identifier: Apache-2.0
/* What the parts of this room tell one another. */

/** Who made a GPU; also the vendor part of its CDI kind (`nvidia.com/gpu`). */
export type GpuVendor = "nvidia" | "amd" | "intel";

/** One GPU of this host, as /proc and /sys tell it; absent fields are those that nobody could tell. */
export interface HostGpu {
  readonly vendor: GpuVendor;
  /** Place among the GPUs of its vendor in the order of PCI bus addresses: what `--gpus device=0` means. */
  readonly index: number;
  readonly name: string;
  /** `GPU-…`; absent until the driver has initialised the card. */
  readonly uuid?: string;
  /** PCI address as in /sys/bus/pci/devices: `0000:07:00.0`. Absent on WSL2. */
  readonly busId?: string;
  /** Number of the kind of card on the PCI bus: `0x20b0`. */
  readonly pciDevice?: string;
  /** The N of /dev/nvidiaN; never the index. */
  readonly minor?: number;
  readonly memoryBytes?: number;
  /** NVIDIA: compute capability (`8.0`). AMD: `gfx90a`. */
  readonly architecture?: string;
  /** NVML's brand in lower case (`tesla`, `geforce`), as `NVIDIA_REQUIRE_*` compares it. */
  readonly brand?: string;
  /** Device nodes on this host that belong to this GPU alone. */
  readonly nodes: readonly string[];
  /** Parts that it is divided into; when there are any, the GPU itself can't be asked for. */
  readonly mig: readonly MigPart[];
}

/** One MIG device. */
export interface MigPart {
  /** The `1` of `0:1`. */
  readonly index: number;
  /** Its GPU instance and compute instance: the numbers in `/proc/driver/nvidia/capabilities/gpu0/mig/gi7/ci0`. */
  readonly gi?: number;
  readonly ci?: number;
  readonly uuid?: string;
  readonly profile?: string;
  readonly memoryBytes?: number;
  /** The two nodes of /dev/nvidia-caps that open it. */
  readonly nodes: readonly string[];
}

/** A GPU driver of this host. */
export interface HostDriver {
  readonly vendor: GpuVendor;
  /** `native`, or inside Windows by /dev/dxg. */
  readonly kind: "native" | "wsl";
  /** Version of the kernel module: `535.104.05`. */
  readonly version?: string;
  /** The newest CUDA that the driver itself carries: `12.2`. */
  readonly cuda?: string;
  /** Shared device nodes: /dev/nvidiactl, /dev/nvidia-uvm, /dev/kfd. */
  readonly nodes: readonly string[];
}

/** Everything that was found, without starting any program. */
export interface HostGpus {
  readonly drivers: readonly HostDriver[];
  readonly gpus: readonly HostGpu[];
  /** What was looked for and is missing or odd, one sentence each. */
  readonly remarks: readonly string[];
}

/** A machine that an image shall run on: this one, or one that was only described (`driver=535,sm=70`). */
export interface GpuTarget {
  /** `this host`, or the name that it has in `tare.toml`. */
  readonly name: string;
  readonly vendor: GpuVendor;
  /** Full version or its branch alone: `535.104.05`, `535`. */
  readonly driver?: string;
  /** The newest CUDA of the driver, where known; otherwise it follows from `driver` by the tables. */
  readonly cuda?: string;
  /** Distinct kinds of GPU there. */
  readonly gpus: readonly { readonly name?: string; readonly architecture?: string; readonly brand?: string }[];
}

/** What a shared object carries for GPUs, from its fatbin sections. */
export interface GpuKernels {
  /** Machine code for these compute capabilities: `8.0`, `9.0a`. */
  readonly cubins: readonly string[];
  /** Intermediate code that a driver compiles for any newer GPU. */
  readonly ptx: readonly string[];
  /** Machine code that only some of its parts have (`9.0a` of a few kernels): other parts do not run there. */
  readonly partial?: readonly string[];
  /** AMD: machine code for these targets: `gfx90a`, `gfx942:xnack-`. */
  readonly gfx?: readonly string[];
}

/** One Python distribution that uses GPUs. */
export interface GpuPackage {
  /** Normalised name, as `torch`. */
  readonly name: string;
  /** With its local part: `2.7.0+cu128`. */
  readonly version: string;
  /** CUDA that it was built against (`12.8`), from its `nvidia-*` requirements, its local version or the tables. */
  readonly cuda?: string;
  /** Versions of NVIDIA's distributions that it asks for exactly: `nvidia-cudnn-cu12` → `9.5.1.17`. */
  readonly requires?: Readonly<Record<string, string>>;
  /** Where `cuda` and `kernels` are from: the wheel itself outranks the tables. */
  readonly source: "wheel" | "table" | "unknown";
  /** Absent when nobody looked or could tell. Empty lists: a build for CPUs, or code that is compiled when it runs. */
  readonly kernels?: GpuKernels;
}

/** What an image needs of a machine's GPUs. */
export interface ImageNeeds {
  /** As the user names it. */
  readonly image: string;
  /** Toolkit in the image (`CUDA_VERSION`, /usr/local/cuda/version.json). */
  readonly toolkit?: string;
  /** The variables that ask: `NVIDIA_REQUIRE_*`, `NVIDIA_DISABLE_REQUIRE`, `NVIDIA_VISIBLE_DEVICES`, `CUDA_VERSION`, …. */
  readonly env: Readonly<Record<string, string>>;
  readonly packages: readonly GpuPackage[];
  /** C library: NVIDIA's libraries load with glibc only. */
  readonly libc?: "glibc" | "musl";
  /** /usr/local/cuda/compat: CUDA it brings and the driver branches it goes with (`.note.cuda.fwd_compatibility`). */
  readonly compat?: {
    readonly cuda: string;
    /** Of the driver that the library comes from: `575.57.08`. */
    readonly version?: string;
    /** Empty when the library does not say: then it goes with every older driver. */
    readonly drivers: readonly number[];
  };
}

/** One result of a check. */
export interface GpuFinding {
  /** Stable word: `driver-too-old`, `no-kernel-image`, `require-unsatisfied`, `unknown-version`, …. */
  readonly rule: string;
  /** `error` refuses a run, `warning` is said, `unknown` says that nobody can tell, `ok` what was verified. */
  readonly level: "error" | "warning" | "unknown" | "ok";
  /** One sentence with what was compared. */
  readonly message: string;
  /** What to change: a command or an edit. */
  readonly fix?: string;
}

/** A CDI specification, parsed strictly (SPEC.md, "CDI JSON Specification"). */
export interface CdiSpec {
  readonly cdiVersion: string;
  /** `vendor/class`. */
  readonly kind: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly devices: readonly CdiDevice[];
  readonly containerEdits?: CdiEdits;
}

/** A device of a CDI specification. */
export interface CdiDevice {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly containerEdits: CdiEdits;
}

/** `containerEdits`: what changes in a container's OCI configuration. */
export interface CdiEdits {
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly CdiDeviceNode[];
  readonly netDevices?: readonly { readonly hostInterfaceName: string; readonly name: string }[];
  readonly mounts?: readonly CdiMount[];
  readonly hooks?: readonly CdiHook[];
  readonly intelRdt?: CdiIntelRdt;
  readonly additionalGids?: readonly number[];
  /**
   * Ours, of specifications generated in memory, never in a file: folders by the name of a variable that is a list of
   * folders (`PATH`, `LD_LIBRARY_PATH`). Those that the container's value lacks are put in front of it, the others stay
   * where they are; `env` would replace the whole value.
   */
  readonly searchPaths?: Readonly<Record<string, readonly string[]>>;
}

/** `deviceNodes` item. */
export interface CdiDeviceNode {
  readonly path: string;
  readonly hostPath?: string;
  readonly type?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly permissions?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** `mounts` item. */
export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type?: string;
  readonly options?: readonly string[];
}

/** `hooks` item. */
export interface CdiHook {
  readonly hookName: string;
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly timeout?: number;
}

/** `intelRdt`. */
export interface CdiIntelRdt {
  readonly closID?: string;
  readonly l3CacheSchema?: string;
  readonly memBwSchema?: string;
  readonly schemata?: readonly string[];
  readonly enableCMT?: boolean;
  readonly enableMBM?: boolean;
  readonly enableMonitoring?: boolean;
}
