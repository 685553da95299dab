// SPDX-License-Identifier: Apache-2.0
/* The GPU against the driver, and against the CUDA toolkit of the image. */
import { architectureOf, driverSupports, gpuSupportedBy } from "../data/capabilities.ts";
import { minimumDriver } from "../data/drivers.ts";
import { majorOf, minorOf, compareDotted } from "../versions.ts";
import { capabilitiesOf, cudaUsers, driverText, gpuText } from "./subject.ts";
import type { GpuFinding } from "../types.ts";
import type { Rule, Subject } from "./subject.ts";

/** A generation has a last driver branch, and a first one. */
export const generationRule: Rule = (subject) => {
  const { target, data } = subject;
  const { driver } = target;
  if (driver === undefined) return [];
  return capabilitiesOf(target).flatMap((capability): readonly GpuFinding[] => {
    const { verdict, reason } = driverSupports(data, capability, driver);
    if (verdict === "yes") return [known(subject, capability)];
    return verdict === "no" ? [notForDriver(subject, capability, driver)] : [unknownGpu(subject, capability, reason)];
  });
};

function known(subject: Subject, capability: string): GpuFinding {
  return { rule: "generation", level: "ok", message: `${driverText(subject)} knows ${gpuText(subject, capability)}` };
}

function unknownGpu(subject: Subject, capability: string, reason: string): GpuFinding {
  return {
    rule: "unknown-gpu",
    level: "unknown",
    message: `whether ${driverText(subject)} knows ${gpuText(subject, capability)} can't be told: ${reason}`,
    fix: "newer tables may tell: `tare gpu data update`",
  };
}

function notForDriver(subject: Subject, capability: string, driver: string): GpuFinding {
  const generation = architectureOf(subject.data, capability);
  const last = generation.known ? generation.value.lastDriver : null;
  if (typeof last === "number" && majorOf(driver) > last) {
    return {
      rule: "gpu-dropped-by-driver",
      level: "error",
      message: `${driverText(subject)} ignores ${gpuText(subject, capability)}: R${last} is the last branch for it`,
      fix: `install a driver of the R${last} branch`,
    };
  }
  const first = generation.known && generation.value.firstCuda !== null ? generation.value.firstCuda : undefined;
  const minimum = first === undefined ? undefined : minimumDriver(subject.data, first);
  const floor = minimum?.known ? minimum.value.native : null;
  return {
    rule: "driver-too-old-for-gpu",
    level: "error",
    message: `${driverText(subject)} does not know ${gpuText(subject, capability)} yet`,
    fix: `update the driver to ${floor === null ? "a newer one" : `R${majorOf(floor)} or newer`}`,
  };
}

/** The compute capability against what the toolkit of the image compiles for. */
export const toolkitRule: Rule = (subject) => {
  const { needs, data, target } = subject;
  if (needs.toolkit === undefined) return [];
  const toolkit = minorOf(needs.toolkit);
  return capabilitiesOf(target)
    .filter((capability) => gpuSupportedBy(data, toolkit, capability).verdict === "no")
    .map((capability) => toolkitFinding(subject, capability, toolkit));
};

function toolkitFinding(subject: Subject, capability: string, toolkit: string): GpuFinding {
  const generation = architectureOf(subject.data, capability);
  const first = generation.known ? generation.value.firstCuda : null;
  const gpu = gpuText(subject, capability);
  if (first !== null && compareDotted(first, toolkit) > 0) {
    return {
      rule: "gpu-newer-than-cuda",
      level: "warning",
      message: `CUDA ${toolkit} of the image is older than ${gpu}: its libraries run from PTX at best`,
      fix: `use a base image of CUDA ${first} or newer`,
    };
  }
  const hasPackages = cudaUsers(subject).some((user) => user.package !== undefined);
  return {
    rule: "gpu-dropped-by-cuda",
    level: hasPackages ? "warning" : "error",
    message: `CUDA ${toolkit} of the image has no code for ${gpu} any more`,
    fix: `use a base image of CUDA ${lastCuda(subject, capability)} or older`,
  };
}

/** The newest toolkit that knows a GPU. */
function lastCuda({ data }: Subject, capability: string): string {
  const known = data.capabilities.filter(({ supported }) => supported.includes(capability)).flatMap(({ cuda }) => cuda);
  return known.toSorted(compareDotted).at(-1) ?? "?";
}
