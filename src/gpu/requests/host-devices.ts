// SPDX-License-Identifier: Apache-2.0
/* From what a container asks for by name to the edits of its configuration, as this host is at this moment. */
import { isCdiName } from "../../options/index.ts";
import type { GpuRequest } from "../../options/index.ts";
import type { CdiResolution } from "../cdi/registry.ts";
import type { GpuVendor, HostGpu } from "../types.ts";
import { askedCapabilities, vendorsFor } from "./drivers.ts";
import { driverCapabilities } from "./environment.ts";
import { openHostDevices } from "./host-registry.ts";
import type { DevicePlaces } from "./host-registry.ts";
import { vendorOfName } from "./inventory.ts";
import { resolveGpuRequests } from "./resolve.ts";
import { idsOf } from "./units.ts";

/** NVIDIA's, alone or as the name of a CDI device. */
const UUID = /(?:^|=)(?:GPU|MIG)-/i;

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
  /** The GPUs among them, as discovery knows them; of a divided one a part may be meant. */
  readonly gpus: readonly HostGpu[];
}

/**
 * Looks up all devices that a container asks for. Throws `E_GPU_MISSING`, `E_GPU_UNKNOWN`, `E_GPU_DRIVER`, `E_CDI_DEVICE`,
 * `E_USAGE`.
 */
export async function findDevices(wanted: WantedDevices, places: DevicePlaces): Promise<FoundDevices> {
  const { requests, env } = wanted;
  const capabilities = driverCapabilities(askedCapabilities(requests), env);
  const vendors = vendorsWanted(requests);
  const { registry, host, remarks } = await openHostDevices(places, {
    vendors,
    capabilities,
    byUuid: requests.some(({ deviceIds }) => deviceIds.some((id) => UUID.test(id))),
    isStrict: true,
  });
  const names = resolveGpuRequests(requests, {
    names: registry.devices().map(({ name }) => name),
    gpus: host.gpus,
    lookedIn: lookedIn(places),
    remarks,
  });
  return { names, ...registry.resolve(names), gpus: gpusNamed(names, host.gpus) };
}

/** Nothing is generated for the others. */
function vendorsWanted(requests: readonly GpuRequest[]): readonly GpuVendor[] {
  const wanted = requests.flatMap((request) => {
    const named = request.deviceIds.filter(isCdiName).flatMap((id) => vendorOfName(id) ?? []);
    return request.driver === "cdi" ? named : [...named, ...vendorsFor(request)];
  });
  return [...new Set(wanted)];
}

/** Of a name that only an installed specification knows, all of its maker; of devices that are no GPUs none. */
function gpusNamed(names: readonly string[], gpus: readonly HostGpu[]): readonly HostGpu[] {
  const named = names.flatMap((name) => {
    const own = gpus.filter(({ vendor }) => vendor === vendorOfName(name));
    const id = name.slice(name.indexOf("=") + 1).toLowerCase();
    if (id === "none") return [];
    const found = own.filter((gpu) => idsOf(gpu).includes(id));
    return found.length > 0 ? found : own;
  });
  return gpus.filter((gpu) => named.includes(gpu));
}

/** As the error says it when there is nothing. */
function lookedIn({ driverRoot, cdiDirectories }: DevicePlaces): readonly string[] {
  const below = driverRoot === "/" ? "" : ` below ${driverRoot}`;
  const folders = cdiDirectories.length === 0 ? [] : [`CDI specifications in ${cdiDirectories.join(" and ")}`];
  return [
    `NVIDIA's /proc/driver/nvidia and /dev/dxg${below}`,
    `AMD's /dev/kfd and Intel's /dev/dri${below}`,
    ...folders,
  ];
}
