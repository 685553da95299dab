// SPDX-License-Identifier: Apache-2.0
/* The driver against the CUDA of what is in the image. */
import { gpuSupportedBy } from "../data/capabilities.ts";
import { otherBuild } from "./builds.ts";
import { ownCuda } from "./driver.ts";
import { branchText, capabilitiesOf, cudaUsers, driverText } from "./subject.ts";
import type { GpuFinding } from "../types.ts";
import type { DriverWay } from "./driver.ts";
import type { CudaUser, Rule, Subject } from "./subject.ts";

type Way<W extends DriverWay["way"]> = DriverWay & { readonly way: W };

/** Every program by the driver: error, or `ok` with the way; a toolkit beside packages is no error, they have their own. */
export const driverRule: Rule = (subject) => {
  const users = cudaUsers(subject);
  const hasPackages = users.some((user) => user.package !== undefined);
  return users.map((user) => findingOf(subject, user, hasPackages && user.package === undefined));
};

function findingOf(subject: Subject, user: CudaUser, isAside: boolean): GpuFinding {
  const { way } = user;
  const what = user.package === undefined ? `${user.label} (${user.cuda})` : `${user.label} (CUDA ${user.cuda})`;
  const runs = `${driverText(subject)} runs ${what}`;
  switch (way.way) {
    case "native":
      return { rule: "driver", level: "ok", message: runs };
    case "minor":
      return { rule: "driver", level: "ok", message: `${runs} by minor-version compatibility: ${minorText(way)}` };
    case "forward":
      return forwardFinding(
        way,
        `${runs} with the CUDA ${way.compatCuda} libraries of the image in /usr/local/cuda/compat`,
      );
    case "none":
      return tooOld(subject, { user, way, what, isAside });
    case "unknown":
      return unknownDriver(what, way.why);
  }
}

function minorText({ ownCuda: own }: Way<"minor">): string {
  return `machine code, but no PTX newer than ${own === undefined ? "its own CUDA" : `CUDA ${own}`}`;
}

function forwardFinding({ isSure }: Way<"forward">, message: string): GpuFinding {
  if (isSure) return { rule: "forward-compat", level: "ok", message };
  return {
    rule: "forward-compat",
    level: "warning",
    message: `${message}, if its GPUs are data centre GPUs, which is not told`,
    fix: "name the brand (`--target …,brand=tesla`), or update the driver",
  };
}

function unknownDriver(what: string, why: string): GpuFinding {
  return {
    rule: "unknown-version",
    level: "unknown",
    message: `whether the driver runs ${what} can't be told: ${why}`,
    fix: "newer tables may tell: `tare gpu data update`",
  };
}

interface Refused {
  readonly user: CudaUser;
  readonly way: Way<"none">;
  readonly what: string;
  readonly isAside: boolean;
}

function tooOld(subject: Subject, { user, way, what, isAside }: Refused): GpuFinding {
  const why = way.refused === undefined ? "" : `; ${way.refused}`;
  const floor = branchText(way.floor);
  const instead = user.package === undefined ? olderBase(subject) : otherBuild(subject, user.package);
  const update = isGpuGone(subject, user.cuda) && instead !== undefined ? [] : [`update the driver to ${floor}`];
  return {
    rule: way.refused === undefined ? "driver-too-old" : "forward-compat-refused",
    level: isAside ? "warning" : "error",
    message: `${driverText(subject)} is too old for ${what}, which needs ${floor}${why}`,
    fix: [...update, ...(instead === undefined ? [] : [instead])].join(", or "),
  };
}

/** True when a newer driver would not help: the CUDA itself has dropped a GPU of the machine. */
function isGpuGone({ target, data }: Subject, cuda: string): boolean {
  return capabilitiesOf(target).some((capability) => gpuSupportedBy(data, cuda, capability).verdict === "no");
}

/** The newest base that the driver runs. */
function olderBase(subject: Subject): string | undefined {
  const own = ownCuda(subject);
  return own === undefined ? undefined : `take a base image of CUDA ${own} or older (\`FROM nvidia/cuda:${own}…\`)`;
}
