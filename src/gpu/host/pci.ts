// SPDX-License-Identifier: Apache-2.0
import { readlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { namesIn, readFact, statusOf } from "./read.ts";
import type { HostRoots } from "./roots.ts";

/** A display controller or accelerator on the PCI bus. */
export interface PciGpu {
  /** `0000:07:00.0` */
  readonly bus: string;
  /** `0x10de` */
  readonly vendor: string;
  readonly device: string;
  /** The kernel driver that has it. */
  readonly driver?: string;
}

const DEVICES = "sys/bus/pci/devices";
/** Display controllers, and processing accelerators, which some data-centre cards say to be. */
const CLASSES = /^0x(03|12)/;

/** The GPUs of a maker in the order of their addresses, whatever driver has them. */
export function pciGpus(roots: HostRoots, vendor: string): readonly PciGpu[] {
  const folder = join(roots.kernel, DEVICES);
  const found = namesIn(folder).filter(
    (bus) =>
      readFact(join(folder, bus, "vendor")) === vendor && CLASSES.test(readFact(join(folder, bus, "class")) ?? ""),
  );
  return found.toSorted(byBus).map((bus) => pciGpu(folder, bus, vendor));
}

function pciGpu(folder: string, bus: string, vendor: string): PciGpu {
  const link = join(folder, bus, "driver");
  const driver = statusOf(link)?.isSymbolicLink() === true ? basename(readlinkSync(link)) : undefined;
  const device = readFact(join(folder, bus, "device")) ?? "unknown";
  return { bus, vendor, device, ...(driver === undefined ? {} : { driver }) };
}

/** Order of PCI addresses. */
export function byBus(left: string, right: string): number {
  const [a, b] = [numbersOf(left), numbersOf(right)];
  const at = a.findIndex((number, index) => number !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

function numbersOf(bus: string): readonly number[] {
  return bus.split(/[:.]/).map((part) => Number.parseInt(part, 16));
}

/** Device nodes of a GPU's graphics side, as the kernel lists them: `/dev/dri/card0`, `/dev/dri/renderD128`. */
export function drmNodes(roots: HostRoots, bus: string): readonly string[] {
  return drmNodesBelow(join(roots.kernel, DEVICES, bus));
}

/** The same of any device's folder in /sys. */
export function drmNodesBelow(folder: string): readonly string[] {
  const names = namesIn(join(folder, "drm")).filter((name) => /^(card|renderD)\d+$/.test(name));
  return names.map((name) => `/dev/dri/${name}`);
}
