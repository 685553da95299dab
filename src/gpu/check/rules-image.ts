// SPDX-License-Identifier: Apache-2.0
/* What an image is made of against the kind of GPU: C library, vendor, builds for CPUs. */
import { capabilitiesOf, cudaUsers, isLibrary, labelOf } from "./subject.ts";
import type { GpuFinding, GpuPackage } from "../types.ts";
import type { Rule, Subject } from "./subject.ts";

/** NVIDIA's driver libraries are built for glibc. */
export const muslRule: Rule = ({ needs, target }) => {
  if (needs.libc !== "musl" || target.vendor !== "nvidia") return [];
  return [
    {
      rule: "musl-image",
      level: "error",
      message: "the image is built on musl (Alpine): NVIDIA's driver libraries are for glibc and do not load in it",
      fix: "use a Debian variant of the base, as `python:3.11-slim` instead of `python:3.11-alpine`",
    },
  ];
};

/** Builds for another maker's GPUs. */
export const vendorRule: Rule = ({ needs, target }) => {
  const others = needs.packages
    .filter(({ name }) => !isLibrary(name))
    .filter((each) => isForOther(each, target.vendor));
  return others.map((found): GpuFinding => {
    const made = isRocm(found) ? "AMD" : "NVIDIA";
    return {
      rule: "wrong-vendor",
      level: "error",
      message: `${labelOf(found)} is built for GPUs of ${made}, ${target.name} has ${VENDORS[target.vendor]}'s`,
      fix: `lock again with \`tare lock --accelerator ${ACCELERATORS[target.vendor]}\``,
    };
  });
};

const VENDORS = { nvidia: "NVIDIA", amd: "AMD", intel: "Intel" } as const;
const ACCELERATORS = { nvidia: "auto", amd: "rocm6.4", intel: "xpu" } as const;

function isRocm({ version, kernels }: GpuPackage): boolean {
  return /\+rocm/.test(version) || (kernels?.gfx?.length ?? 0) > 0;
}

function isForOther(found: GpuPackage, vendor: Subject["target"]["vendor"]): boolean {
  // bitsandbytes has objects for both makers in one wheel.
  if (vendor === "nvidia") return isRocm(found) && !hasCudaCode(found);
  return found.cuda !== undefined && !isRocm(found);
}

function hasCudaCode({ kernels }: GpuPackage): boolean {
  return kernels !== undefined && kernels.cubins.length + kernels.ptx.length > 0;
}

/** AMD's targets in a ROCm build. */
export const rocmRule: Rule = ({ needs, target, data }) => {
  if (target.vendor !== "amd") return [];
  return needs.packages.filter(isRocm).flatMap((found) => {
    const rocm = /\+rocm(\d+\.\d+)/.exec(found.version)?.[1];
    const own = found.kernels?.gfx?.map((each) => each.split(":")[0] ?? each);
    const known = own && own.length > 0 ? own : data.rocm.find((row) => row.rocm === rocm)?.targets;
    return capabilitiesOf(target).map((gfx) => rocmFinding(found, gfx, known));
  });
};

function rocmFinding(found: GpuPackage, gfx: string, known: readonly string[] | undefined): GpuFinding {
  const label = labelOf(found);
  if (!known)
    return { rule: "unknown-kernels", level: "unknown", message: `whether ${label} has code for ${gfx} is not known` };
  if (known.includes(gfx)) return { rule: "kernels", level: "ok", message: `${label} has code for ${gfx}` };
  return {
    rule: "no-kernel-image",
    level: "error",
    message: `${label} has no code for ${gfx}: it has ${known.join(" ")}`,
    fix: `take a build that has it, or, where ${gfx} is close to one of them, try HSA_OVERRIDE_GFX_VERSION`,
  };
}

/** Builds for CPUs in an image that shall use a GPU. */
export const cpuBuildRule: Rule = ({ needs }) =>
  needs.packages.filter(isForCpu).map((found): GpuFinding => ({
    rule: "cpu-build",
    level: "warning",
    message: `${labelOf(found)} is a build for CPUs: it uses no GPU`,
    fix: "lock again with `tare lock --accelerator auto`",
  }));

function isForCpu({ name, version, cuda, kernels }: GpuPackage): boolean {
  if (isLibrary(name)) return false;
  const isEmpty =
    kernels !== undefined && kernels.cubins.length + kernels.ptx.length + (kernels.gfx?.length ?? 0) === 0;
  return version.endsWith("+cpu") || (name === "torch" && isEmpty && cuda === undefined);
}

/** Nothing in the image tells what it needs. */
export const nothingRule: Rule = (subject) => {
  const { needs } = subject;
  const tells = cudaUsers(subject).length > 0 || needs.packages.length > 0 || needs.libc === "musl";
  if (tells || Object.keys(needs.env).some((name) => name.startsWith("NVIDIA_REQUIRE_"))) return [];
  return [
    {
      rule: "nothing-known",
      level: "unknown",
      message: `nothing in ${needs.image} tells what it needs of a GPU: no CUDA toolkit, no Python package that uses one`,
    },
  ];
};
