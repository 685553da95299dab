// SPDX-License-Identifier: Apache-2.0
/* All CDI devices of this host: those of installed specifications, and of drivers that have none, generated ones. */
import { isTareError } from "../../base/index.ts";
import { loadCdi } from "../cdi/registry.ts";
import type { CdiProblem, CdiRegistry } from "../cdi/registry.ts";
import type { DriverCapability } from "../generate/capabilities.ts";
import { generateSpecs } from "../generate/generate.ts";
import { discoverGpus } from "../host/discover.ts";
import { describeHost } from "../usage/describe-host.ts";
import type { CdiSpec, GpuVendor, HostDriver, HostGpus } from "../types.ts";

/** Where this host's devices are looked for. */
export interface DevicePlaces {
  /** Where the GPU driver's files are; `/` but for drivers that run in a container. */
  readonly driverRoot: string;
  /** Folders of CDI specifications, the last wins. */
  readonly cdiDirectories: readonly string[];
}

/** What of the host's drivers is generated, and how much of it. */
export interface RegistryOptions {
  /** Makers; absent: all. */
  readonly vendors?: readonly GpuVendor[];
  /** Parts of NVIDIA's driver; absent: all. */
  readonly capabilities?: readonly DriverCapability[];
  /** Somebody asks by uuid: the driver's library is asked for those that files do not tell. */
  readonly byUuid?: boolean;
  /** A driver that is not complete is an error; otherwise it is a problem of the registry. */
  readonly isStrict?: boolean;
}

/** The registry, and what discovery found for it. */
export interface HostDevices {
  readonly registry: CdiRegistry;
  readonly host: HostGpus;
  /** What is missing or odd, one sentence each. */
  readonly remarks: readonly string[];
}

/** Opens the registry. Throws `E_GPU_DRIVER` when it is strict and a driver is not complete. */
export async function openHostDevices(places: DevicePlaces, options: RegistryOptions = {}): Promise<HostDevices> {
  const { driverRoot, cdiDirectories: directories } = places;
  const installed = await loadCdi({ directories });
  const host = await hostFor(driverRoot, options.byUuid === true);
  const has = (vendor: GpuVendor): boolean => installed.devices().some(({ kind }) => kind === `${vendor}.com/gpu`);
  const isWanted = (vendor: GpuVendor): boolean => options.vendors?.includes(vendor) !== false && !has(vendor);
  const drivers = host.drivers.filter(({ vendor }) => isWanted(vendor));
  const made = drivers.map((driver) => generated(driver, host, { driverRoot, ...options }));
  const [specs, problems] = [made.flatMap((one) => one.specs), made.flatMap((one) => one.problems)];
  const isInstalled = specs.length === 0 && problems.length === 0;
  const registry = isInstalled ? installed : await loadCdi({ directories, generated: specs, problems });
  const broken = registry.problems.map(({ message }) => message);
  return { registry, host, remarks: [...host.remarks, ...made.flatMap((one) => one.remarks), ...broken] };
}

/** Files tell no uuid of a MIG part, and none of a card that nothing has used since the start. */
async function hostFor(driverRoot: string, byUuid: boolean): Promise<HostGpus> {
  const host = discoverGpus({ driverRoot });
  const isNameless = host.gpus.some(({ vendor, uuid, mig }) => {
    const all = mig.length > 0 ? mig.map((part) => part.uuid) : [uuid];
    return vendor === "nvidia" && all.includes(undefined);
  });
  return byUuid && isNameless ? await describeHost({ driverRoot }) : host;
}

interface Generated {
  readonly specs: readonly CdiSpec[];
  readonly remarks: readonly string[];
  readonly problems: readonly CdiProblem[];
}

function generated(
  driver: HostDriver,
  host: HostGpus,
  { driverRoot, capabilities, isStrict }: RegistryOptions & { readonly driverRoot: string },
): Generated {
  const parts = capabilities === undefined ? {} : { capabilities };
  try {
    const { specs, remarks } = generateSpecs({ ...host, drivers: [driver] }, { driverRoot, ...parts });
    return { specs: specs.map(withNone), remarks, problems: [] };
  } catch (error) {
    if (isStrict === true || !isTareError(error)) throw error;
    return { specs: [], remarks: [], problems: [{ files: [], message: error.message }] };
  }
}

/** NVIDIA's own specifications have a device that is none, for a container that gets the driver's files alone. */
function withNone(spec: CdiSpec): CdiSpec {
  if (!spec.kind.startsWith("nvidia.com/")) return spec;
  return { ...spec, devices: [...spec.devices, { name: "none", containerEdits: { env: ["NVCT_EMPTY_DEVICE="] } }] };
}
