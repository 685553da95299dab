// SPDX-License-Identifier: Apache-2.0
/*
 * Which way leads from a target's driver to a program of some CUDA (NVIDIA, "CUDA Compatibility"):
 *
 *   native    the driver carries this CUDA or a newer one
 *   minor     the same major version and a driver above its floor: machine code runs, PTX of a newer CUDA does not
 *   forward   the image brings a newer libcuda, for this branch of the driver; data centre GPUs alone
 */
import { architectureOf } from "../data/capabilities.ts";
import { cudaOfDriver, minimumDriver, runsOn } from "../data/drivers.ts";
import { brandName } from "../nvml/brands.ts";
import { compareDotted, majorOf, minorOf } from "../versions.ts";
import type { GpuData } from "../data/types.ts";
import type { GpuTarget, ImageNeeds } from "../types.ts";

/** How a driver runs a CUDA, or why it does not. */
export type DriverWay =
  | { readonly way: "native" }
  | { readonly way: "minor"; readonly ownCuda: string | undefined }
  | { readonly way: "forward"; readonly compatCuda: string; readonly isSure: boolean }
  | { readonly way: "none"; readonly floor: string; readonly refused?: string }
  | { readonly way: "unknown"; readonly why: string };

/** What is looked at together. */
export interface DriverQuestion {
  readonly target: GpuTarget;
  readonly needs: Pick<ImageNeeds, "compat">;
  readonly data: GpuData;
}

/** The newest CUDA of a target's own driver, or what it carries at least; undefined when nobody can tell. */
export function ownCuda({ target, data }: Pick<DriverQuestion, "target" | "data">): string | undefined {
  if (target.cuda !== undefined || target.driver === undefined) return target.cuda;
  const carried = cudaOfDriver(data, target.driver);
  return carried.known ? carried.value : carried.atLeast;
}

/** The same where it is known exactly: the limit of what the driver compiles. */
export function exactCuda({ target, data }: Pick<DriverQuestion, "target" | "data">): string | undefined {
  if (target.cuda !== undefined || target.driver === undefined) return target.cuda;
  const carried = cudaOfDriver(data, target.driver);
  return carried.known ? carried.value : undefined;
}

/** How a target runs programs that were built with `cuda`. */
export function wayOfDriver(question: DriverQuestion, cuda: string): DriverWay {
  const { target, needs, data } = question;
  const own = ownCuda(question);
  if (own !== undefined && compareDotted(minorOf(cuda), own) <= 0) return { way: "native" };
  if (target.driver === undefined) return wayOfCuda(own, cuda);
  const { compat } = needs;
  const { verdict, reason } = runsOn(data, cuda, target.driver, compat === undefined ? {} : { compat });
  switch (verdict) {
    case "native":
      return { way: "native" };
    case "minor-compatibility":
      return { way: "minor", ownCuda: exactCuda(question) };
    case "forward-compatibility":
      return forwardWay(question, cuda, compat?.cuda ?? cuda);
    case "no":
      return { way: "none", floor: floorOf(data, cuda) };
    case "unknown":
      return { way: "unknown", why: reason };
  }
}

/** Of a driver whose CUDA alone is told. */
function wayOfCuda(own: string | undefined, cuda: string): DriverWay {
  if (own === undefined) return { way: "unknown", why: "the driver is not told" };
  if (majorOf(own) === majorOf(cuda) && majorOf(cuda) >= 11) return { way: "minor", ownCuda: own };
  return { way: "unknown", why: `of the driver only CUDA ${own} is told` };
}

/** The least driver that runs machine code of a CUDA. */
function floorOf(data: GpuData, cuda: string): string {
  const minimum = minimumDriver(data, cuda);
  return (minimum.known ? (minimum.value.minor ?? minimum.value.native) : null) ?? "a newer one";
}

function forwardWay(question: DriverQuestion, cuda: string, compatCuda: string): DriverWay {
  const refused = refusalOf(question, compatCuda);
  if (refused !== undefined) return { way: "none", floor: floorOf(question.data, cuda), refused };
  return { way: "forward", compatCuda, isSure: question.target.gpus.every((gpu) => isDataCentre(gpu) === true) };
}

/** Why forward compatibility does not work on a target's GPUs. */
export function refusalOf({ target, needs, data }: DriverQuestion, compatCuda: string): string | undefined {
  const what = `the CUDA ${compatCuda} libraries in /usr/local/cuda/compat`;
  const consumer = target.gpus.find((gpu) => isDataCentre(gpu) === false);
  if (consumer)
    return `${what} are for data centre GPUs, which ${consumer.name ?? consumer.brand ?? "this"} is not (error 804)`;
  const minimum = minimumDriver(data, compatCuda);
  const branch = needs.compat?.version ?? (minimum.known ? minimum.value.native : null);
  const gone = target.gpus.map(({ architecture }) => goneFrom(data, architecture, branch)).find(Boolean);
  return gone === undefined ? undefined : `${what} are of driver ${branch ?? ""}, which no longer knows ${gone} GPUs`;
}

/** The name of a GPU's generation, when a driver no longer knows it. */
function goneFrom(data: GpuData, capability: string | undefined, driver: string | null): string | undefined {
  if (capability === undefined || driver === null) return undefined;
  const generation = architectureOf(data, capability);
  if (!generation.known || typeof generation.value.lastDriver !== "number") return undefined;
  return majorOf(driver) > generation.value.lastDriver ? generation.value.name : undefined;
}

/** The brands in the notes of NVIDIA's compat libraries, by their numbers in nvmlBrandType_t. */
const FORWARD_BRANDS: ReadonlySet<string> = new Set([1, 2, 7, 8, 9, 10, 11, 12, 13, 14].map(brandName));

/** Whether a GPU may go forward; undefined when neither brand nor name tells. */
export function isDataCentre({ brand, name }: GpuTarget["gpus"][number]): boolean | undefined {
  if (brand !== undefined && brand !== "unknown") {
    return FORWARD_BRANDS.has(brand.toLowerCase().replaceAll(/[\s_-]/g, ""));
  }
  if (name === undefined) return undefined;
  if (/geforce|titan/i.test(name)) return false;
  return /tesla|quadro|\b[ABHLPTV]\d{1,3}[A-Z]?\b|\bG[BH]\d{3}\b/i.test(name) ? true : undefined;
}
