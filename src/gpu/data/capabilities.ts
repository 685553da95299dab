// SPDX-License-Identifier: Apache-2.0
/* Which GPUs a toolkit or a driver knows, by compute capability (`8.6`). */
import { compareDotted, isDottedVersion, majorOf, minorOf } from "../versions.ts";
import { minimumDriver } from "./drivers.ts";
import { sourceUrls } from "./references.ts";
import type { Answer, ArchitectureRow, GpuData, Verdict } from "./types.ts";

/** Compute capabilities that the compilers of a toolkit know. */
export function capabilitiesOf(data: GpuData, toolkit: string): Answer<readonly string[]> {
  const row = data.capabilities.find((known) => known.cuda.includes(minorOf(toolkit)));
  if (!row) return { known: false, reason: `the data does not know the GPUs of CUDA ${toolkit}` };
  return { known: true, value: row.supported, sources: sourceUrls(data, [row]) };
}

/** Whether the compilers of a toolkit know a GPU. */
export function gpuSupportedBy(data: GpuData, toolkit: string, capability: string): Verdict {
  const cuda = minorOf(toolkit);
  const known = capabilitiesOf(data, toolkit);
  if (!known.known) return unknown(known.reason);
  const { sources } = known;
  if (known.value.includes(capability)) {
    return { verdict: "yes", reason: `CUDA ${cuda} knows compute capability ${capability}`, sources };
  }
  const reach = reachOf(data, capability);
  if (!reach) return unknown(`the data does not know compute capability ${capability}`);
  return { verdict: "no", reason: `CUDA ${cuda} does not know compute capability ${capability}: ${reach}`, sources };
}

function unknown(reason: string): Verdict {
  return { verdict: "unknown", reason, sources: [] };
}

function reachOf(data: GpuData, capability: string): string | undefined {
  const reach = toolkitsOf(data, capability);
  if (!reach) return undefined;
  return reach.last === "current" ? `it came with CUDA ${reach.first}` : `CUDA ${reach.first} to ${reach.last} do`;
}

/** The first and the last toolkit whose compilers know a GPU, by the table of toolkits; `current`: the newest does. */
export function toolkitsOf(
  data: GpuData,
  capability: string,
): { readonly first: string; readonly last: string; readonly sources: readonly string[] } | undefined {
  const rows = data.capabilities.filter(({ supported }) => supported.includes(capability));
  const sorted = rows.flatMap(({ cuda }) => cuda).toSorted(compareDotted);
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const newest = data.capabilities
    .flatMap(({ cuda }) => cuda)
    .toSorted(compareDotted)
    .at(-1);
  return { first, last: last === newest ? "current" : last, sources: sourceUrls(data, rows) };
}

/** The generation of GPUs (`Volta`) of a compute capability. */
export function architectureOf(data: GpuData, capability: string): Answer<ArchitectureRow> {
  const row = data.architectures.find(({ capabilities }) => capabilities.includes(capability));
  if (!row) return { known: false, reason: `the data does not know compute capability ${capability}` };
  return { known: true, value: row, sources: sourceUrls(data, [row]) };
}

/** Whether a branch of drivers (`535`, or a full version) supports a GPU. */
export function driverSupports(data: GpuData, capability: string, driver: string): Verdict {
  if (!isDottedVersion(driver)) return unknown(`\`${driver}\` is no version of a driver`);
  const architecture = architectureOf(data, capability);
  if (!architecture.known) return unknown(architecture.reason);
  const { name, lastDriver, firstCuda } = architecture.value;
  const branch = majorOf(driver);
  const { sources } = architecture;
  if (typeof lastDriver === "number" && branch > lastDriver) {
    const reason = `branch ${lastDriver} is the last that supports ${name} (compute capability ${capability}), and this is ${branch}`;
    return { verdict: "no", reason, sources };
  }
  const first = firstCuda === null ? undefined : minimumDriver(data, firstCuda);
  const from = first?.known ? first.value.native : null;
  if (from !== null && branch < majorOf(from)) {
    const reason = `${name} (compute capability ${capability}) came with CUDA ${firstCuda} and driver ${from}, and this is ${driver}`;
    return { verdict: "no", reason, sources: [...sources, ...(first?.known ? first.sources : [])] };
  }
  if (lastDriver === null) return unknown(`the data does not know the last driver for ${name}`);
  if (lastDriver === "current" && branch > (data.drivers.at(-1)?.branch ?? 0)) {
    return unknown(`the data does not know branch ${branch} of NVIDIA's drivers`);
  }
  return { verdict: "yes", reason: `branch ${branch} supports ${name} (compute capability ${capability})`, sources };
}

/** The chip and compute capability of a card by its PCI device number (`20b0` of vendor 10de). */
export function gpuOfPciDevice(
  data: GpuData,
  device: string,
): Answer<{ readonly chip: string; readonly capability: string }> {
  const wanted = device.toLowerCase().replace(/^0x/, "").padStart(4, "0");
  const row = data.chips.find(({ pci }) => pci.some((range) => isWithin(wanted, range)));
  if (!row) return { known: false, reason: `the data does not know PCI device 10de:${wanted}` };
  return { known: true, value: { chip: row.chip, capability: row.capability }, sources: sourceUrls(data, [row]) };
}

function isWithin(device: string, range: string): boolean {
  const [low = "", high = low] = range.split("-");
  return low <= device && device <= high;
}
