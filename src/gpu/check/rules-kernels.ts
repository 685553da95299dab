// SPDX-License-Identifier: Apache-2.0
/* The kernels in every package against every GPU. What the wheel itself says outranks the tables. */
import { gpuSupportedBy } from "../data/capabilities.ts";
import { minimumDriver } from "../data/drivers.ts";
import { frameworkBuild } from "../data/frameworks.ts";
import { howKernelsRun } from "../data/kernels.ts";
import { compareDotted, majorOf, minorOf } from "../versions.ts";
import { otherBuild } from "./builds.ts";
import { capabilitiesOf, cudaUsers, driverText, gpuText, labelOf } from "./subject.ts";
import type { KnownKernels } from "../data/kernels.ts";
import type { GpuFinding, GpuPackage } from "../types.ts";
import type { CudaUser, Rule, Subject } from "./subject.ts";

/** The kernels in every package, for every GPU. */
export const kernelsRule: Rule = (subject) => {
  const capabilities = capabilitiesOf(subject.target);
  return cudaUsers(subject).flatMap((user) => {
    const { package: found } = user;
    return found === undefined
      ? []
      : capabilities.map((capability) => findingOf(subject, { ...user, found, capability }));
  });
};

interface Question extends CudaUser {
  readonly found: GpuPackage;
  readonly capability: string;
}

function findingOf(subject: Subject, question: Question): GpuFinding {
  const { found, capability, cuda } = question;
  const gpu = gpuText(subject, capability);
  const kernels = kernelsOf(subject, found);
  if (!kernels) return withoutKernels(subject, question, gpu);
  switch (howKernelsRun(kernels, capability)) {
    case "machine-code":
      return machineCode(found, { capability, gpu });
    case "ptx":
      return ptxFinding(subject, question, { gpu, kernels });
    case "none":
      return noKernel(subject, found, `${labelOf(found)} has no code for ${gpu}: ${kernelsText(kernels)}`);
    case "unknown":
      return unknownKernels(`${labelOf(found)} (CUDA ${cuda})`, gpu);
  }
}

/** The wheel's own kernels, else those of the tables. */
function kernelsOf({ data }: Subject, { name, version, cuda, kernels }: GpuPackage): KnownKernels | undefined {
  if (kernels && kernels.cubins.length + kernels.ptx.length > 0) return { kind: "list", kernels };
  const local = cuda === undefined || version.includes("+") ? undefined : `cu${minorOf(cuda).replace(".", "")}`;
  const named = frameworkBuild(data, name, version, local);
  return named.known ? named.value.kernels : undefined;
}

function machineCode(
  { kernels, ...found }: GpuPackage,
  { capability, gpu }: { readonly capability: string; readonly gpu: string },
): GpuFinding {
  const isPartial = kernels?.partial?.some((each) => each.startsWith(capability)) ?? false;
  const some = isPartial ? ", for some of its parts" : "";
  return { rule: "kernels", level: "ok", message: `${labelOf(found)} has machine code for ${gpu}${some}` };
}

function ptxFinding(
  subject: Subject,
  { cuda, way, found }: Question,
  { gpu, kernels }: { readonly gpu: string; readonly kernels: KnownKernels },
): GpuFinding {
  const message = `${labelOf(found)} has no machine code for ${gpu}, only PTX ${ptxOf(kernels).join(" ")}`;
  const limit = way.way === "minor" ? way.ownCuda : way.way === "forward" ? way.compatCuda : undefined;
  if (limit !== undefined && compareDotted(limit, minorOf(cuda)) < 0) {
    return {
      rule: "ptx-too-new",
      level: "error",
      message: `${message}, made by CUDA ${cuda}: ${driverText(subject)} can't compile it (unsupported PTX version)`,
      fix: newerDriver(subject, cuda, found),
    };
  }
  return {
    rule: "ptx-only",
    level: "warning",
    message: `${message}: the driver compiles it at the first use, which takes minutes, and some programs fail with it`,
    fix: otherBuild(subject, found) ?? `take a build of ${found.name} with machine code for this GPU`,
  };
}

function newerDriver({ data }: Subject, cuda: string, { name }: GpuPackage): string {
  const minimum = minimumDriver(data, cuda);
  const native = minimum.known ? minimum.value.native : null;
  const driver = native === null ? `one that carries CUDA ${cuda}` : `R${majorOf(native)} (${native}) or newer`;
  return `update the driver to ${driver}, or take a build of ${name} with machine code for this GPU`;
}

function noKernel(subject: Subject, found: GpuPackage, message: string): GpuFinding {
  const fix = otherBuild(subject, found) ?? `take a release of ${found.name} that is built for this GPU`;
  return { rule: "no-kernel-image", level: "error", message: `${message} (no kernel image is available)`, fix };
}

/** Nobody looked into the wheel: what its CUDA can't compile for is not in it. */
function withoutKernels(subject: Subject, { found, cuda, capability }: Question, gpu: string): GpuFinding {
  const label = `${labelOf(found)} (CUDA ${cuda})`;
  const { verdict, reason } = gpuSupportedBy(subject.data, cuda, capability);
  if (verdict === "no") return noKernel(subject, found, `${label} can have no code for ${gpu}: ${reason}`);
  return unknownKernels(label, gpu);
}

function unknownKernels(label: string, gpu: string): GpuFinding {
  return { rule: "unknown-kernels", level: "unknown", message: `whether ${label} has code for ${gpu} is not known` };
}

function ptxOf(known: KnownKernels): readonly string[] {
  return known.kind === "list" ? known.kernels.ptx : known.ptx;
}

/** `it has 5.0 6.0 9.0 and PTX 9.0`. */
function kernelsText(known: KnownKernels): string {
  const code = known.kind === "list" ? known.kernels.cubins.join(" ") : `${known.low} to ${known.high}`;
  const parts = [...(code === "" ? [] : [code]), ...(ptxOf(known).length > 0 ? [`PTX ${ptxOf(known).join(" ")}`] : [])];
  return `it has ${parts.join(" and ") || "none"}`;
}
