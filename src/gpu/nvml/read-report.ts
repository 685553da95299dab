// SPDX-License-Identifier: Apache-2.0
/* Asks a loaded library everything. What a GPU does not support is left out, what fails otherwise is told as a problem. */
import { Asking, plainName } from "./asking.ts";
import { brandName } from "./brands.ts";
import * as layouts from "./layouts.ts";
import type { NvmlArgument, NvmlLibrary } from "./library.ts";
import { known } from "./known.ts";
import { readDeviceProcesses } from "./read-processes.ts";
import { NVML_SUCCESS } from "./return-codes.ts";
import type { NvmlDevice, NvmlMig, NvmlQuestion, NvmlReport } from "./types.ts";

/** A function of NVML that must work answered no. */
export class NvmlFailure extends Error {
  readonly during: string;
  readonly code: number;

  constructor(during: string, code: number, words: string) {
    super(words);
    this.during = during;
    this.code = code;
  }
}

/** Initialises NVML. Throws `NvmlFailure`. */
export function initialise(library: NvmlLibrary): void {
  required(library, ["nvmlInit_v2", "nvmlInit"]);
}

/** Asks. Throws `NvmlFailure` when not even the number of GPUs is told. */
export function readReport(library: NvmlLibrary, question: NvmlQuestion): NvmlReport {
  const count = Buffer.alloc(4);
  required(library, ["nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"], count);
  const devices = Array.from({ length: count.readUInt32LE() }, (_, index) => readDevice(library, index, question));
  if (question === "use") return { devices };
  const ask = new Asking(library);
  const cuda = ask.number(["nvmlSystemGetCudaDriverVersion_v2", "nvmlSystemGetCudaDriverVersion"]);
  const driver = ask.text(["nvmlSystemGetDriverVersion"], 80);
  return { ...known({ driver, cuda: cuda ? cudaVersion(cuda) : undefined }), devices };
}

/** 12020 is 12.2. */
function cudaVersion(value: number): string {
  return `${Math.floor(value / 1000)}.${Math.floor((value % 1000) / 10)}`;
}

function required(library: NvmlLibrary, names: readonly string[], ...args: readonly NvmlArgument[]): void {
  const code = library.call(names, ...args);
  if (code !== NVML_SUCCESS) throw new NvmlFailure(plainName(names), code, library.words(code));
}

function readDevice(library: NvmlLibrary, index: number, question: NvmlQuestion): NvmlDevice {
  const ask = new Asking(library);
  const device = ask.handle(["nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"], index);
  if (device === undefined) return { index, mig: [], processes: [], problems: ask.problems };
  const facts = question === "report" ? readFacts(ask, device) : {};
  const parts = isDivided(ask, device) ? migHandles(ask, device) : [];
  const mig = question === "report" ? parts.map((part, place) => readMigDevice(ask, part, place)) : [];
  return { index, ...facts, mig, processes: readDeviceProcesses(ask, device, parts), problems: ask.problems };
}

function readFacts(ask: Asking, device: bigint): Partial<NvmlDevice> {
  const brand = ask.number(["nvmlDeviceGetBrand"], device);
  const pci = ask.bytes(
    ["nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo"],
    layouts.PCI_SIZE,
    device,
  );
  const [major, minor] = [Buffer.alloc(4), Buffer.alloc(4)];
  const hasCapability = ask.works(["nvmlDeviceGetCudaComputeCapability"], device, major, minor);
  return known({
    name: ask.text(["nvmlDeviceGetName"], 96, device),
    uuid: ask.text(["nvmlDeviceGetUUID"], 96, device),
    busId: pci && layouts.readBusId(pci),
    minor: ask.number(["nvmlDeviceGetMinorNumber"], device),
    brand: brand === undefined ? undefined : brandName(brand),
    architecture: hasCapability ? `${major.readUInt32LE()}.${minor.readUInt32LE()}` : undefined,
    ...readMemory(ask, device),
    utilisation: ask.bytes(["nvmlDeviceGetUtilizationRates"], 8, device)?.readUInt32LE(),
    temperature: readTemperature(ask, device),
  });
}

/** The newer function counts what the driver keeps for itself apart from what is used, as `nvidia-smi` shows it. */
function readMemory(ask: Asking, device: bigint): Partial<layouts.MemoryItem> {
  const bytes = Buffer.alloc(layouts.MEMORY_V2_SIZE);
  bytes.writeUInt32LE(layouts.MEMORY_V2_VERSION);
  if (ask.quietly(["nvmlDeviceGetMemoryInfo_v2"], device, bytes)) return layouts.readMemoryV2(bytes);
  const old = ask.bytes(["nvmlDeviceGetMemoryInfo"], layouts.MEMORY_SIZE, device);
  return old ? layouts.readMemory(old) : {};
}

/** Of the GPU's core, sensor 0. */
function readTemperature(ask: Asking, device: bigint): number | undefined {
  const bytes = Buffer.alloc(4);
  return ask.quietly(["nvmlDeviceGetTemperature"], device, 0, bytes) ? bytes.readUInt32LE() : undefined;
}

function isDivided(ask: Asking, device: bigint): boolean {
  const [current, pending] = [Buffer.alloc(4), Buffer.alloc(4)];
  return ask.quietly(["nvmlDeviceGetMigMode"], device, current, pending) && current.readUInt32LE() === 1;
}

/** There may be gaps between the MIG devices. */
function migHandles(ask: Asking, device: bigint): readonly bigint[] {
  const most = ask.number(["nvmlDeviceGetMaxMigDeviceCount"], device) ?? 0;
  const places = Array.from({ length: most }, (_, place) => place);
  return places.flatMap((place) => ask.handle(["nvmlDeviceGetMigDeviceHandleByIndex"], device, place) ?? []);
}

function readMigDevice(ask: Asking, part: bigint, index: number): NvmlMig {
  const attributes = ask.bytes(["nvmlDeviceGetAttributes_v2"], layouts.ATTRIBUTES_SIZE, part);
  const slices = attributes && layouts.readAttributes(attributes);
  const memory = readMemory(ask, part);
  return {
    index,
    ...known({
      uuid: ask.text(["nvmlDeviceGetUUID"], 96, part),
      gi: ask.number(["nvmlDeviceGetGpuInstanceId"], part),
      ci: ask.number(["nvmlDeviceGetComputeInstanceId"], part),
      profile: migProfile(ask.text(["nvmlDeviceGetName"], 96, part), slices),
      memoryTotal: memory.memoryTotal ?? slices?.memoryTotal,
      memoryUsed: memory.memoryUsed,
    }),
  };
}

/** The name of a MIG device ends with its profile; where it does not, the slices say it. */
function migProfile(name: string | undefined, slices: layouts.MigAttributes | undefined): string | undefined {
  const named = /\bMIG (\S+)$/.exec(name ?? "")?.[1];
  if (named !== undefined || slices === undefined) return named;
  const { instanceSlices, computeSlices, memoryTotal } = slices;
  const compute = computeSlices < instanceSlices ? `${computeSlices}c.` : "";
  return `${compute}${instanceSlices}g.${Math.ceil(memoryTotal / 2 ** 30)}gb`;
}
