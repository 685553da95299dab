// SPDX-License-Identifier: Apache-2.0
/* From what a container asks for by name to the edits of its configuration, as this host is at this moment. */
import { isCdiName } from "../../options/index.ts";
import type { GpuRequest } from "../../options/index.ts";
import { loadCdi } from "../cdi/registry.ts";
import type { CdiRegistry, CdiResolution } from "../cdi/registry.ts";
import type { DriverCapability } from "../generate/capabilities.ts";
import { generateSpecs } from "../generate/generate.ts";
import { discoverGpus } from "../host/discover.ts";
import type { CdiSpec, GpuVendor } from "../types.ts";
import { askedCapabilities, vendorsFor } from "./drivers.ts";
import { driverCapabilities } from "./environment.ts";
import type { GpuInventory } from "./inventory.ts";
import { resolveGpuRequests } from "./resolve.ts";

/** Where this host's devices are looked for. */
export interface DevicePlaces {
  /** Where the GPU driver's files are; `/` but for drivers that run in a container. */
  readonly driverRoot: string;
  /** Folders of CDI specifications, the last wins. */
  readonly cdiDirectories: readonly string[];
}

/** What a container asks for. */
export interface WantedDevices {
  readonly requests: readonly GpuRequest[];
  /** The container's environment, `NAME=value`: its image may choose parts of the driver. */
  readonly env: readonly string[];
}

/** What it gets. */
export interface FoundDevices extends CdiResolution {
  /** Qualified names of CDI devices, in the order asked for. */
  readonly names: readonly string[];
}

/** Looks up all devices that a container asks for. Throws `E_GPU_MISSING`, `E_GPU_UNKNOWN`, `E_CDI_DEVICE`, `E_USAGE`. */
export async function findDevices(wanted: WantedDevices, places: DevicePlaces): Promise<FoundDevices> {
  const { registry, inventory } = await openHost(wanted, places);
  const names = resolveGpuRequests(wanted.requests, inventory);
  return { names, ...registry.resolve(names) };
}

interface Host {
  readonly registry: CdiRegistry;
  readonly inventory: GpuInventory;
}

/** What is installed; for makers that no installed specification has a GPU of, what is generated. */
async function openHost(
  wanted: WantedDevices,
  { driverRoot, cdiDirectories: directories }: DevicePlaces,
): Promise<Host> {
  const installed = await loadCdi({ directories });
  const host = discoverGpus({ driverRoot });
  const has = (vendor: GpuVendor): boolean => installed.devices().some(({ kind }) => kind === `${vendor}.com/gpu`);
  const needed = vendorsWanted(wanted.requests).filter((vendor) => !has(vendor));
  const drivers = host.drivers.filter(({ vendor }) => needed.includes(vendor));
  const { specs, remarks } =
    drivers.length === 0
      ? { specs: [], remarks: [] }
      : generateSpecs({ ...host, drivers }, { driverRoot, capabilities: capabilitiesFor(wanted) });
  const registry = specs.length === 0 ? installed : await loadCdi({ directories, generated: specs.map(withNone) });
  return {
    registry,
    inventory: {
      names: registry.devices().map(({ name }) => name),
      gpus: host.gpus,
      lookedIn: lookedIn(driverRoot, directories),
      remarks: [...host.remarks, ...remarks, ...registry.problems.map(({ message }) => message)],
    },
  };
}

function vendorsWanted(requests: readonly GpuRequest[]): readonly GpuVendor[] {
  const wanted = requests.flatMap((request) => {
    const named = request.deviceIds.filter(isCdiName).map((id) => vendorOfName(id));
    return request.driver === "cdi" ? named : [...named, ...vendorsFor(request)];
  });
  return [...new Set(wanted)].filter((vendor) => vendor !== undefined);
}

function vendorOfName(name: string): GpuVendor | undefined {
  const [, vendor] = /^(nvidia|amd|intel)\.com\/gpu=/.exec(name) ?? [];
  return vendor === "nvidia" || vendor === "amd" || vendor === "intel" ? vendor : undefined;
}

function capabilitiesFor({ requests, env }: WantedDevices): readonly DriverCapability[] {
  return driverCapabilities(askedCapabilities(requests), env);
}

/** NVIDIA's own specifications have a device that is none, for a container that gets the driver's files alone. */
function withNone(spec: CdiSpec): CdiSpec {
  if (!spec.kind.startsWith("nvidia.com/")) return spec;
  return { ...spec, devices: [...spec.devices, { name: "none", containerEdits: { env: ["NVCT_EMPTY_DEVICE="] } }] };
}

/** As the error says it when there is nothing. */
function lookedIn(driverRoot: string, directories: readonly string[]): readonly string[] {
  const below = driverRoot === "/" ? "" : ` below ${driverRoot}`;
  const folders = directories.length === 0 ? [] : [`CDI specifications in ${directories.join(" and ")}`];
  return [
    `NVIDIA's /proc/driver/nvidia and /dev/dxg${below}`,
    `AMD's /dev/kfd and Intel's /dev/dri${below}`,
    ...folders,
  ];
}
