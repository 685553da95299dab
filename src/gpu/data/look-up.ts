// SPDX-License-Identifier: Apache-2.0
/* What the data has about one thing, for people who ask for it by name. */
import { compareDotted, minorOf } from "../versions.ts";
import { architectureOf, capabilitiesOf, toolkitsOf } from "./capabilities.ts";
import { compatDrivers, cudaOfDriver, driverBranch, minimumDriver } from "./drivers.ts";
import type { MinimumDriver } from "./drivers.ts";
import { frameworkBuild, frameworkBuilds, frameworkReleases } from "./frameworks.ts";
import type { FrameworkBuild } from "./frameworks.ts";
import { sourceUrls } from "./references.ts";
import type { GpuData, Row } from "./types.ts";

/** Facts about one thing with their sources, or why there are none. */
export type GpuFacts =
  | {
      readonly kind: "framework";
      readonly name: string;
      readonly version: string;
      readonly builds: readonly FrameworkBuild[];
      readonly sources: readonly string[];
    }
  | { readonly kind: "releases"; readonly name: string; readonly versions: readonly string[] }
  | {
      readonly kind: "cuda";
      readonly version: string;
      readonly minimumDriver: MinimumDriver;
      /** Branches that its cuda-compat package goes with; absent when that is not known. */
      readonly compatDrivers?: readonly number[];
      /** Compute capabilities that its compilers know. */
      readonly capabilities?: readonly string[];
      readonly sources: readonly string[];
    }
  | {
      readonly kind: "driver";
      readonly version: string;
      readonly cuda?: string;
      /** Where `cuda` is not known. */
      readonly cudaAtLeast?: string;
      /** `LTS`, `Production`, `New Feature`. */
      readonly branchKind?: string;
      /** Month in which support of the branch ends. */
      readonly end?: string;
      readonly sources: readonly string[];
    }
  | {
      readonly kind: "gpu";
      readonly capability: string;
      /** `Volta`; null where that is not known. */
      readonly architecture: string | null;
      readonly firstCuda: string | null;
      readonly lastCuda: string | null;
      readonly lastDriver: number | "current" | null;
      readonly chips: readonly string[];
      readonly sources: readonly string[];
    }
  | { readonly kind: "unknown"; readonly reason: string };

/** Words that are no distributions. */
const KINDS: Readonly<Record<string, (data: GpuData, version: string | undefined) => GpuFacts>> = {
  cuda: (data, version) => (version === undefined ? allToolkits(data) : toolkitFacts(data, version)),
  driver: (data, version) => (version === undefined ? allDrivers(data) : driverFacts(data, version)),
  gpu: (data, version) => (version === undefined ? allCapabilities(data) : gpuFacts(data, version)),
};

/** Facts about a distribution (`torch` `2.7.0`, `2.7.0+cu128`), or about `cuda`, `driver`, `gpu` of a version. */
export function lookUpGpuFacts(data: GpuData, name: string, version: string | undefined): GpuFacts {
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind) return kind(data, version);
  if (version === undefined) {
    const versions = frameworkReleases(data, name);
    return versions.length > 0
      ? { kind: "releases", name, versions }
      : unknown(`the data has nothing about \`${name}\``);
  }
  return frameworkFacts(data, name, version);
}

function unknown(reason: string): GpuFacts {
  return { kind: "unknown", reason };
}

function frameworkFacts(data: GpuData, name: string, version: string): GpuFacts {
  const [release = "", local] = version.split("+");
  const all = frameworkBuilds(data, name, release);
  const builds = local === undefined ? all : all.filter((build) => build.local === local);
  const answers = builds.map((build) => frameworkBuild(data, build.name, release, build.local));
  const sources = answers.flatMap((answer) => (answer.known ? answer.sources : []));
  const [first] = builds;
  if (first !== undefined) {
    return { kind: "framework", name: first.name, version, builds, sources: [...new Set(sources)] };
  }
  const answer = frameworkBuild(data, name, version);
  return unknown(answer.known ? `the data does not know the builds of ${name} ${version}` : answer.reason);
}

function toolkitFacts(data: GpuData, version: string): GpuFacts {
  const minimum = minimumDriver(data, version);
  if (!minimum.known) return unknown(minimum.reason);
  const compat = compatDrivers(data, version);
  const capabilities = capabilitiesOf(data, version);
  const sources = [minimum, compat, capabilities].flatMap((answer) => (answer.known ? answer.sources : []));
  return {
    kind: "cuda",
    version: minorOf(version),
    minimumDriver: minimum.value,
    ...(compat.known ? { compatDrivers: compat.value } : {}),
    ...(capabilities.known ? { capabilities: capabilities.value } : {}),
    sources: [...new Set(sources)],
  };
}

function driverFacts(data: GpuData, version: string): GpuFacts {
  const cuda = cudaOfDriver(data, version);
  const row = driverBranch(data, version);
  if (!cuda.known && cuda.atLeast === undefined) return unknown(cuda.reason);
  const { kind, end } = row ?? {};
  return {
    kind: "driver",
    version,
    ...(cuda.known ? { cuda: cuda.value } : {}),
    ...(!cuda.known && cuda.atLeast !== undefined ? { cudaAtLeast: cuda.atLeast } : {}),
    ...(kind === undefined ? {} : { branchKind: kind }),
    ...(end === undefined ? {} : { end }),
    sources: sourceUrls(data, row ? [row] : []),
  };
}

function gpuFacts(data: GpuData, capability: string): GpuFacts {
  const architecture = architectureOf(data, capability);
  if (!architecture.known) return factsOfCompilers(data, capability) ?? unknown(architecture.reason);
  const { name, firstCuda, lastCuda, lastDriver } = architecture.value;
  const chips = data.chips.filter((row) => row.capability === capability);
  const rows: readonly Row[] = [architecture.value, ...chips];
  return {
    kind: "gpu",
    capability,
    architecture: name,
    firstCuda,
    lastCuda,
    lastDriver,
    chips: chips.map(({ chip }) => chip),
    sources: sourceUrls(data, rows),
  };
}

/** Of a GPU whose generation is not in the table: what the compilers say. */
function factsOfCompilers(data: GpuData, capability: string): GpuFacts | undefined {
  const reach = toolkitsOf(data, capability);
  if (!reach) return undefined;
  const { first, last, sources } = reach;
  const none = { architecture: null, lastDriver: null, chips: [] } as const;
  return { kind: "gpu", capability, firstCuda: first, lastCuda: last, sources, ...none };
}

function allToolkits({ toolkits }: GpuData): GpuFacts {
  return { kind: "releases", name: "cuda", versions: toolkits.map(({ cuda }) => cuda) };
}

function allDrivers({ drivers }: GpuData): GpuFacts {
  return { kind: "releases", name: "driver", versions: drivers.map(({ branch }) => String(branch)) };
}

function allCapabilities({ architectures, capabilities }: GpuData): GpuFacts {
  const all = [...architectures.flatMap((row) => row.capabilities), ...capabilities.flatMap((row) => row.supported)];
  return { kind: "releases", name: "gpu", versions: [...new Set(all)].toSorted(compareDotted) };
}
