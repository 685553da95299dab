// SPDX-License-Identifier: Apache-2.0
/*
 * Folders that look like the root of a machine with GPUs, as far as /proc, /sys, /dev and a driver's files go. Libraries
 * are shared objects that load; device nodes are real where this process may make them.
 */
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { linux } from "../../src/base/index.ts";
import { HEAD_32, elfObject } from "./elf-object.ts";
import {
  DRIVER_FILES,
  DRIVER_LIBRARIES,
  DRIVER_PROGRAMS,
  WSL_DRIVER_FILES,
  WSL_LIBRARIES,
} from "./fake-driver-files.ts";
import type { DriverLibrary } from "./fake-driver-files.ts";
import { loaderCache } from "./loader-cache.ts";

/** An NVIDIA GPU. */
export interface FakeGpu {
  /** `0000:07:00.0` */
  readonly bus: string;
  readonly minor: number;
  readonly model?: string;
  /** `null`: a card that was not initialised yet. */
  readonly uuid?: string | null;
  readonly isExcluded?: boolean;
  /** PCI device id. */
  readonly device?: string;
  /** GPU instances by number, each with its compute instances. */
  readonly mig?: Readonly<Record<number, readonly number[]>>;
}

/** Parts of an installation that a test leaves out. */
export type FakePart =
  | "module"
  | "proc"
  | "libcuda"
  | "libraries"
  | "uvm"
  | "nodes"
  | "nvidia-smi"
  | "drm"
  | "firmware"
  | "sockets";

/** An installation of NVIDIA's driver. */
export interface FakeDriver {
  /** Default 535.104.05. */
  readonly version?: string;
  /** Wording of /proc/driver/nvidia/version. */
  readonly module?: "closed" | "open";
  readonly gpus?: readonly FakeGpu[];
  /** Library folders of Debian, of Fedora, or one that only ld.so.cache knows. */
  readonly family?: "debian" | "fedora" | "cache";
  /**
   * `real`: NVIDIA's numbers, opening gives ENXIO without the module. `reachable`: devices of any Linux (nvidia0 is
   * /dev/full, nvidia1 /dev/kmsg). `files`: plain files, for those who may not make nodes.
   */
  readonly nodes?: "real" | "reachable" | "files";
  readonly without?: readonly FakePart[];
  /** Libraries of this version are there too, left by an older installation. */
  readonly stale?: string;
  /** 32-bit libraries, as programs of compat32 need. */
  readonly has32Bits?: boolean;
}

const VERSION = "535.104.05";
const A100 = "NVIDIA A100-SXM4-40GB";
const ONE: readonly FakeGpu[] = [{ bus: "0000:07:00.0", minor: 0 }];
const UVM_MAJOR = 511;
const CAPS_MAJOR = 508;
const REACHABLE: Readonly<Record<string, readonly [number, number]>> = {
  nvidia0: [1, 7],
  nvidia1: [1, 11],
  nvidiactl: [1, 5],
};

/** Fills a folder with an installation of NVIDIA's driver. */
export function fakeNvidiaRoot(root: string, driver: FakeDriver = {}): void {
  const { gpus = ONE, without = [] } = driver;
  const has = (part: FakePart): boolean => !without.includes(part);
  const version = driver.version ?? VERSION;
  kernelFiles(root, driver, version, has);
  gpus.forEach((gpu, index) => gpuFiles(root, gpu, index, has));
  if (gpus.some((gpu) => gpu.mig)) migFiles(root, gpus);
  if (has("nodes")) driverNodes(root, driver, has);
  if (has("libraries")) libraries(root, driver, version, has);
  for (const path of DRIVER_FILES)
    if (has("firmware") || !path.includes("firmware")) put(root, named(path, version), "{}\n");
  for (const name of DRIVER_PROGRAMS) program(root, `/usr/bin/${name}`, "exit 0");
  if (has("nvidia-smi")) program(root, "/usr/bin/nvidia-smi", managementText(gpus, version));
  if (has("sockets")) socket(root, "/run/nvidia-persistenced/socket");
}

/** The name of a GPU in a fake root when it was given none. */
export function fakeUuid(index: number): string {
  return `GPU-0000000${index}-1111-2222-3333-444444444444`;
}

function kernelFiles(root: string, driver: FakeDriver, version: string, has: (part: FakePart) => boolean): void {
  const open = `Open Kernel Module for x86_64  ${version}  Release Build  (dvs-builder@U16-I1)`;
  const wording = driver.module === "open" ? open : `x86_64 Kernel Module  ${version}`;
  const nvrm = `NVRM version: NVIDIA UNIX ${wording}  Sat Aug 19 01:15:15 UTC 2023\n`;
  if (has("module")) put(root, "/sys/module/nvidia/version", `${version}\n`);
  if (has("proc")) {
    put(root, "/proc/driver/nvidia/version", `${nvrm}GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n`);
    put(root, "/proc/driver/nvidia/params", "ResmanDebugLevel: 4294967295\nModifyDeviceFiles: 1\nDeviceFileUID: 0\n");
  }
  const frontend = Number(version.split(".")[0]) >= 550 ? "nvidia" : "nvidia-frontend";
  const uvm = has("uvm") ? [`${UVM_MAJOR} nvidia-uvm`] : [];
  const majors = ["  1 mem", `195 ${frontend}`, "195 nvidiactl", "226 drm", `${CAPS_MAJOR} nvidia-caps`, ...uvm];
  put(root, "/proc/devices", `Character devices:\n${majors.join("\n")}\n\nBlock devices:\n  7 loop\n`);
}

function gpuFiles(root: string, gpu: FakeGpu, index: number, has: (part: FakePart) => boolean): void {
  const { bus, minor, model = A100, uuid = fakeUuid(index), isExcluded = false, device = "0x20b0" } = gpu;
  const rows = [
    ["Model:", model],
    ["IRQ:", String(100 + index)],
    ["GPU UUID:", uuid ?? "GPU-????????-????-????-????-????????????"],
    ["Video BIOS:", "92.00.45.00.03"],
    ["Bus Type:", "PCIe"],
    ["Bus Location:", bus],
    ["Device Minor:", String(minor)],
    ["GPU Excluded:", isExcluded ? "Yes" : "No"],
  ];
  const text = rows.map(([name, value]) => `${name} \t ${value}\n`).join("");
  if (has("proc")) put(root, `/proc/driver/nvidia/gpus/${bus}/information`, text);
  pciDevice(root, bus, { vendor: "0x10de", device, class: "0x030200", driver: "nvidia" });
  if (has("drm")) drmNodes(root, bus, index);
}

/** Facts of a PCI device. */
interface PciDevice {
  readonly vendor: string;
  readonly device: string;
  readonly class: string;
  readonly driver?: string;
}

function pciDevice(root: string, bus: string, device: PciDevice): void {
  const folder = `/sys/bus/pci/devices/${bus}`;
  for (const name of ["vendor", "device", "class"] as const) put(root, `${folder}/${name}`, `${device[name]}\n`);
  if (device.driver === undefined) return;
  fs.mkdirSync(join(root, `/sys/bus/pci/drivers/${device.driver}`), { recursive: true });
  fs.symlinkSync(`../../drivers/${device.driver}`, join(root, folder, "driver"));
}

function drmNodes(root: string, bus: string, index: number, nodes: FakeDriver["nodes"] = "real"): void {
  const [card, render] = [`card${index}`, `renderD${128 + index}`];
  for (const name of [card, render])
    fs.mkdirSync(join(root, `/sys/bus/pci/devices/${bus}/drm/${name}`), { recursive: true });
  put(root, `/sys/class/drm/version`, "drm 1.1.0 20060810\n");
  node(root, `/dev/dri/${card}`, [226, index], nodes, 0o660);
  node(root, `/dev/dri/${render}`, [226, 128 + index], nodes, 0o660);
  fs.mkdirSync(join(root, "/dev/dri/by-path"), { recursive: true });
  fs.symlinkSync(`../${card}`, join(root, `/dev/dri/by-path/pci-${bus}-card`));
  fs.symlinkSync(`../${render}`, join(root, `/dev/dri/by-path/pci-${bus}-render`));
}

/** The table of minors names every instance that could be; the folders are those that are. */
function migFiles(root: string, gpus: readonly FakeGpu[]): void {
  const lines = ["config 1", "monitor 2"];
  put(root, "/proc/driver/nvidia/capabilities/mig/config", access(1));
  put(root, "/proc/driver/nvidia/capabilities/mig/monitor", access(2));
  let cap = 3;
  for (const { minor, mig = {} } of gpus)
    for (let gi = 0; gi <= 14; gi++) {
      const folder = `/proc/driver/nvidia/capabilities/gpu${minor}/mig/gi${gi}`;
      lines.push(`gpu${minor}/gi${gi}/access ${cap}`);
      if (mig[gi]) capability(root, folder, cap);
      cap++;
      for (let ci = 0; ci <= 7; ci++) {
        lines.push(`gpu${minor}/gi${gi}/ci${ci}/access ${cap}`);
        if (mig[gi]?.includes(ci)) capability(root, `${folder}/ci${ci}`, cap);
        cap++;
      }
    }
  put(root, "/proc/driver/nvidia-caps/mig-minors", `${lines.join("\n")}\n`);
  for (const one of [1, 2]) node(root, `/dev/nvidia-caps/nvidia-cap${one}`, [CAPS_MAJOR, one], "real", 0o400);
}

function capability(root: string, folder: string, cap: number): void {
  put(root, `${folder}/access`, access(cap));
  node(root, `/dev/nvidia-caps/nvidia-cap${cap}`, [CAPS_MAJOR, cap], "real", 0o444);
}

function access(minor: number): string {
  return `DeviceFileMinor: ${minor}\nDeviceFileMode: 292\nDeviceFileModify: 1\n`;
}

function driverNodes(root: string, driver: FakeDriver, has: (part: FakePart) => boolean): void {
  const { gpus = ONE, nodes = "real" } = driver;
  const names: readonly (readonly [string, readonly [number, number]])[] = [
    ["nvidiactl", [195, 255]],
    ["nvidia-modeset", [195, 254]],
    ...(has("uvm") ? [["nvidia-uvm", [UVM_MAJOR, 0]] as const, ["nvidia-uvm-tools", [UVM_MAJOR, 1]] as const] : []),
    ...gpus.map(({ minor }) => [`nvidia${minor}`, [195, minor]] as const),
  ];
  for (const [name, real] of names) {
    const numbers = nodes === "reachable" ? (REACHABLE[name] ?? [1, 3]) : real;
    node(root, `/dev/${name}`, numbers, nodes, 0o666);
  }
}

function libraries(root: string, driver: FakeDriver, version: string, has: (part: FakePart) => boolean): void {
  const folder = { debian: "/usr/lib/x86_64-linux-gnu", fedora: "/usr/lib64", cache: "/opt/nvidia/lib" }[
    driver.family ?? "debian"
  ];
  for (const one of DRIVER_LIBRARIES)
    if (has("libcuda") || !one.file.startsWith("libcuda.")) library(root, folder, one, version);
  put(root, `${folder}/libc.so.6`, elfObject({ soname: "libc.so.6" }));
  if (driver.stale !== undefined)
    put(root, `${folder}/libcuda.so.${driver.stale}`, elfObject({ soname: "libcuda.so.1" }));
  if (driver.family === "cache") put(root, "/etc/ld.so.cache", loaderCache([`${folder}/libcuda.so.1`]));
  if (driver.has32Bits === true) {
    put(root, `/usr/lib/i386-linux-gnu/libcuda.so.${version}`, HEAD_32);
    link(root, "/usr/lib/i386-linux-gnu/libcuda.so.1", `libcuda.so.${version}`);
  }
  link(root, `${folder}/gbm/nvidia-drm_gbm.so`, "../libnvidia-allocator.so.1");
  put(root, `${folder}/nvidia/xorg/nvidia_drv.so`, elfObject({ soname: "nvidia_drv.so" }));
}

function library(root: string, base: string, one: DriverLibrary, version: string): void {
  const folder = one.folder === undefined ? base : `${base}/${one.folder}`;
  const file = named(one.file, version);
  const functions = one.file.startsWith("libcuda.") ? { cuInit: 0, cuDriverGetVersion: { writes: 12_020 } } : {};
  put(root, `${folder}/${file}`, elfObject({ soname: named(one.soname, version), functions }));
  one.links.forEach((name, index) =>
    link(root, `${folder}/${name}`, index === 0 ? file : (one.links[index - 1] ?? file)),
  );
}

function managementText(gpus: readonly FakeGpu[], version: string): string {
  const rows = gpus.map(
    ({ model = A100, uuid }, index) => `echo "GPU ${index}: ${model} (UUID: ${uuid ?? fakeUuid(index)})"`,
  );
  const table = `echo "NVIDIA-SMI ${version}  Driver Version: ${version}  CUDA Version: 12.2"`;
  return [`if [ "$1" = -L ]; then`, ...rows, "else", table, "fi"].join("\n");
}

/** Fills a folder with what WSL2 has. */
export function fakeWslRoot(root: string): void {
  node(root, "/dev/dxg", [10, 125], "real", 0o666);
  const store = "/usr/lib/wsl/drivers/nv_dispi.inf_amd64_0123456789abcdef";
  for (const name of WSL_LIBRARIES) put(root, `/usr/lib/wsl/lib/${name}`, elfObject({ soname: name }));
  program(root, "/usr/lib/wsl/lib/nvidia-smi", "exit 0");
  for (const name of WSL_DRIVER_FILES) put(root, `${store}/${name}`, elfObject({ soname: name }));
  program(root, `${store}/nvidia-smi`, "exit 0");
  put(root, "/proc/devices", "Character devices:\n 10 misc\n\nBlock devices:\n");
}

/** Fills a folder with AMD GPUs, by PCI addresses: a processor's node in the topology, then one for each GPU. */
export function fakeAmdRoot(root: string, buses: readonly string[] = ["0000:03:00.0"]): void {
  put(root, "/sys/module/amdgpu/version", "6.8.5\n");
  put(root, "/proc/devices", "Character devices:\n226 drm\n235 kfd\n\nBlock devices:\n");
  node(root, "/dev/kfd", [235, 0], "real", 0o660);
  topologyNode(root, 0, { cpu_cores_count: 16, simd_count: 0, gfx_target_version: 0, drm_render_minor: 0 });
  buses.forEach((bus, index) => {
    const [domain = 0, number = 0, slot = 0, part = 0] = bus.split(/[:.]/).map((text) => Number.parseInt(text, 16));
    const location_id = (number << 8) | (slot << 3) | part;
    const place = {
      location_id,
      domain,
      drm_render_minor: 128 + index,
      unique_id: `11470000000000${String(10 + index)}`,
    };
    topologyNode(root, index + 1, { cpu_cores_count: 0, simd_count: 416, gfx_target_version: 90_010, ...place });
    pciDevice(root, bus, { vendor: "0x1002", device: "0x740f", class: "0x038000", driver: "amdgpu" });
    put(root, `/sys/bus/pci/devices/${bus}/mem_info_vram_total`, "68702699520\n");
    drmNodes(root, bus, index);
  });
}

function topologyNode(root: string, number: number, properties: Readonly<Record<string, number | string>>): void {
  const folder = `/sys/class/kfd/kfd/topology/nodes/${number}`;
  const rows = Object.entries(properties).map(([name, value]) => `${name} ${value}\n`);
  put(root, `${folder}/properties`, rows.join(""));
  put(root, `${folder}/gpu_id`, `${number === 0 ? 0 : 5000 + number}\n`);
  put(root, `${folder}/name`, number === 0 ? "\n" : "aldebaran\n");
}

/** Fills a folder with Intel GPUs, and a network card of the same maker. */
export function fakeIntelRoot(root: string, buses: readonly string[] = ["0000:00:02.0"]): void {
  put(root, "/proc/devices", "Character devices:\n226 drm\n\nBlock devices:\n");
  pciDevice(root, "0000:00:1f.6", { vendor: "0x8086", device: "0x15fb", class: "0x020000", driver: "e1000e" });
  buses.forEach((bus, index) => {
    pciDevice(root, bus, { vendor: "0x8086", device: "0x56a0", class: "0x030000", driver: "i915" });
    drmNodes(root, bus, index);
  });
}

function named(text: string, version: string): string {
  return text.replaceAll("V", (match, at: number) => (/[./]/.test(text[at - 1] ?? "") ? version : match));
}

function put(root: string, path: string, content: string | Uint8Array): void {
  fs.mkdirSync(join(root, dirname(path)), { recursive: true });
  fs.writeFileSync(join(root, path), content);
}

function link(root: string, path: string, target: string): void {
  fs.mkdirSync(join(root, dirname(path)), { recursive: true });
  fs.symlinkSync(target, join(root, path));
}

function program(root: string, path: string, body: string): void {
  put(root, path, `#!/bin/sh\n${body}\n`);
  fs.chmodSync(join(root, path), 0o755);
}

function socket(root: string, path: string): void {
  fs.mkdirSync(join(root, dirname(path)), { recursive: true });
  linux.mknod(join(root, path), fs.constants.S_IFSOCK | 0o666);
}

/** A character device, or a plain file where nodes are not wanted or this process may not make them. */
function node(
  root: string,
  path: string,
  numbers: readonly [number, number],
  kind: FakeDriver["nodes"],
  mode: number,
): void {
  const file = join(root, path);
  fs.mkdirSync(dirname(file), { recursive: true });
  if (kind === "files" || process.getuid?.() !== 0) fs.writeFileSync(file, "");
  else linux.mknod(file, fs.constants.S_IFCHR | mode, linux.makeDevice(...numbers));
  fs.chmodSync(file, mode);
}
