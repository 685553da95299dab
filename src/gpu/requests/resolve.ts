// SPDX-License-Identifier: Apache-2.0
/*
 * From requests to the names of CDI devices. Everything that Docker's grammar can say comes down to one of:
 *
 *     names of CDI devices        taken as they are
 *     all                         the specification's `all`, or each of its devices
 *     a count                     the first so many in the order of indexes, not those that are free
 *     index, uuid, PCI address    the name that the specification has for that GPU or part
 */
import { TareError } from "../../base/index.ts";
import { isCdiName } from "../../options/index.ts";
import type { GpuRequest } from "../../options/index.ts";
import { vendorsFor } from "./drivers.ts";
import { gpusMissing, vendorMissing } from "./errors.ts";
import { qualified, vendorsOf } from "./inventory.ts";
import type { GpuInventory, VendorDevices } from "./inventory.ts";
import { normalBusId, unitsOf } from "./units.ts";
import type { GpuUnit } from "./units.ts";

/**
 * The qualified names of the CDI devices that all these requests come to, each once, in the order asked for. Throws
 * `E_GPU_MISSING` when this host has no such GPUs, `E_GPU_UNKNOWN` for one that it does not have, `E_USAGE`.
 */
export function resolveGpuRequests(requests: readonly GpuRequest[], inventory: GpuInventory): readonly string[] {
  const names = requests.flatMap((request) => namesOf(request, inventory));
  return [...new Set(names)];
}

function namesOf(request: GpuRequest, inventory: GpuInventory): readonly string[] {
  const { driver, count, deviceIds } = request;
  const ids = deviceIds.map((id) => id.trim());
  if (driver === "cdi") return cdiNames(count, ids);
  if (ids.length > 0 && ids.every(isCdiName)) return ids;
  const possible = vendorsFor(request);
  if (count === 0 && ids.length === 0) return [];
  const devices = chosenVendor(request, possible, inventory);
  const asked = ids.length > 0 ? ids.flatMap((id) => deviceNamed(id, devices)) : counted(count, devices);
  return asked.map((name) => (isCdiName(name) ? name : qualified(devices.vendor, name)));
}

/** The driver `cdi` takes names and nothing else, as Docker's. */
function cdiNames(count: number, ids: readonly string[]): readonly string[] {
  const hint = "as in `--gpus driver=cdi,device=nvidia.com/gpu=0`";
  if (count !== 0) throw usage("unexpected count in CDI device request", hint);
  const wrong = ids.find((id) => !isCdiName(id));
  if (wrong !== undefined) throw usage(`\`${wrong}\` is no name of a CDI device`, hint);
  return ids;
}

function chosenVendor(
  request: GpuRequest,
  possible: ReturnType<typeof vendorsFor>,
  inventory: GpuInventory,
): VendorDevices {
  const found = vendorsOf(inventory);
  const chosen = found.find(({ vendor }) => possible.includes(vendor));
  if (chosen) return chosen;
  throw found.length === 0 ? gpusMissing(inventory) : vendorMissing(request, possible, found);
}

function counted(count: number, devices: VendorDevices): readonly string[] {
  if (count < 0) return everything(devices);
  const units = unitsOf(devices);
  if (count <= units.length) return units.slice(0, count).map(({ name }) => name);
  if (units.length === 0) throw onlyTogether(devices);
  const there = units.length === 1 ? "there is 1" : `there are ${units.length}`;
  throw unknownDevice(`asking for ${count} GPUs: ${there} on this host`, units);
}

function everything(devices: VendorDevices): readonly string[] {
  return devices.names.includes("all") ? ["all"] : unitsOf(devices).map(({ name }) => name);
}

function deviceNamed(id: string, devices: VendorDevices): readonly string[] {
  if (isCdiName(id) || devices.names.includes(id)) return [id];
  if (id === "all") return everything(devices);
  const units = unitsOf(devices);
  const wanted = (normalBusId(id) ?? id).toLowerCase();
  const exact = units.filter(({ ids }) => ids.includes(wanted));
  const matching =
    exact.length > 0 || !isUuidStart(wanted)
      ? exact
      : units.filter(({ ids }) => ids.some((one) => one.startsWith(wanted)));
  const [only] = matching;
  if (only && matching.length === 1) return [only.name];
  if (matching.length > 1)
    throw unknownDevice(`asking for the GPU \`${id}\`: it is the beginning of several`, matching);
  throw (
    dividedGpu(id, wanted, devices) ??
    (units.length === 0
      ? onlyTogether(devices)
      : unknownDevice(`asking for the GPU \`${id}\`: there is none of that name`, units))
  );
}

/** As NVIDIA's tools take it: enough of a uuid to know the card by. */
function isUuidStart(id: string): boolean {
  return /^(?:gpu|mig)-[0-9a-f]/.test(id);
}

function dividedGpu(id: string, wanted: string, { gpus, names }: VendorDevices): TareError | undefined {
  const gpu = gpus.find((one) => [String(one.index), one.uuid?.toLowerCase(), one.busId].includes(wanted));
  if (gpu === undefined || gpu.mig.length === 0) return undefined;
  const parts = unitsOf({ vendor: gpu.vendor, names, gpus: [gpu] }).filter(({ ids }) =>
    ids[0]?.startsWith(`${gpu.index}:`),
  );
  return unknownDevice(`asking for the GPU \`${id}\`: it is divided (MIG), and only its parts can be had`, parts);
}

/** Drivers inside Windows have one device for all GPUs. */
function onlyTogether({ names }: VendorDevices): TareError {
  const hint = names.includes("all") ? "`--gpus all`" : undefined;
  const message = "asking for single GPUs: this host's driver gives them all together only";
  return new TareError("E_GPU_UNKNOWN", message, { exitCode: 125, ...(hint === undefined ? {} : { hint }) });
}

function unknownDevice(message: string, units: readonly GpuUnit[]): TareError {
  const hint = `to choose from: ${units.map(({ shown }) => shown).join("; ")}`;
  return new TareError("E_GPU_UNKNOWN", message, {
    hint,
    exitCode: 125,
    details: { devices: units.map(({ name }) => name) },
  });
}

function usage(message: string, hint: string): TareError {
  return new TareError("E_USAGE", message, { hint, exitCode: 125 });
}
