// SPDX-License-Identifier: Apache-2.0
/* How releases of PyTorch, TensorFlow, JAX, ONNX Runtime and vLLM were built. */
import { compareDotted, isDottedVersion } from "../versions.ts";
import type { KnownKernels } from "./kernels.ts";
import { sourceUrls } from "./references.ts";
import type { Answer, BuildRow, FrameworkRow, GpuData, KernelRow } from "./types.ts";

/** One build of a release. */
export interface FrameworkBuild {
  readonly name: string;
  readonly version: string;
  /** `cu128`, `cuda12`, or "" for the only one. */
  readonly local: string;
  /** CUDA that it was built with; a major version alone (`12`) where no more is known. */
  readonly cuda?: string;
  readonly rocm?: string;
  readonly cudnn?: string;
  /** CUDA that it runs with, where that is wider: `>=12.1`. */
  readonly needs?: string;
  /** Minimum driver as its makers give it. */
  readonly driver?: string;
  readonly indexUrl?: string;
  /** Python versions that have wheels, or a specifier. */
  readonly python?: readonly string[] | string;
  readonly kernels?: KnownKernels;
  /** The oldest GPU that it has kernels for, where only that is known. */
  readonly minimumCapability?: string;
  /** True when a plain `pip install` on Linux x86_64 brings this one. */
  readonly isDefault: boolean;
  /** Releases of distributions that go with it: torchvision. */
  readonly companions: Readonly<Record<string, string>>;
}

/**
 * The build of a distribution. Without `local` it is what a plain `pip install` brings; a `+cu128` at the version's end
 * is read as `local`.
 */
export function frameworkBuild(data: GpuData, name: string, version: string, local?: string): Answer<FrameworkBuild> {
  const [release = "", part] = version.split("+");
  const wanted = resolveName(data, name, local ?? part);
  const row = frameworkRow(data, wanted.name, release);
  if (!row) return { known: false, reason: unknownRelease(data, wanted.name, release) };
  const word = wanted.local ?? row.default;
  if (word === null)
    return { known: false, reason: `the data does not know the default build of ${row.name} ${release}` };
  const build = row.builds?.find((known) => known.local === word);
  if (!build) return { known: false, reason: unknownBuild(row, release, word) };
  const kernels = kernelRow(data, row.name, release, word);
  const sources = sourceUrls(data, kernels ? [row, kernels] : [row], release);
  return { known: true, value: buildOf(data, row, release, build), sources };
}

/** All builds of a release; none when it is not known. */
export function frameworkBuilds(data: GpuData, name: string, release: string): readonly FrameworkBuild[] {
  const row = frameworkRow(data, resolveName(data, name, undefined).name, release);
  return row?.builds?.map((build) => buildOf(data, row, release, build)) ?? [];
}

/** Exact releases of a distribution in the data, oldest first. */
export function frameworkReleases(data: GpuData, name: string): readonly string[] {
  const rows = data.frameworks.filter((row) => row.name === normalName(name));
  return rows.flatMap(({ versions }) => versions).toSorted((a, b) => compareDotted(numbersOf(a), numbersOf(b)));
}

/** The dotted numbers that a release begins with: of `0.23.1rc`, `1.18.*`. */
function numbersOf(release: string): string {
  return /^\d+(?:\.\d+)*/.exec(release)?.[0] ?? "0";
}

/** Kernels in PyTorch's wheels of a release for a CUDA (`2.7.0`, `12.8`). */
export function kernelsFor(data: GpuData, torchVersion: string, cuda: string): Answer<KnownKernels> {
  const [release = ""] = torchVersion.split("+");
  const local = `cu${cuda.split(".").slice(0, 2).join("")}`;
  const row = kernelRow(data, "torch", release, local);
  if (!row) return { known: false, reason: `the data does not know the kernels of torch ${release}+${local}` };
  return { known: true, value: knownKernels(row), sources: sourceUrls(data, [row], release) };
}

function resolveName(
  data: GpuData,
  name: string,
  local: string | undefined,
): { readonly name: string; readonly local: string | undefined } {
  const normal = normalName(name);
  const alias = Object.hasOwn(data.aliases, normal) ? data.aliases[normal] : undefined;
  return alias ?? { name: normal, local };
}

function normalName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, "-");
}

function frameworkRow(data: GpuData, name: string, release: string): FrameworkRow | undefined {
  return data.frameworks.find((row) => row.name === name && hasVersion(row.versions, release));
}

function kernelRow(data: GpuData, name: string, release: string, local: string): KernelRow | undefined {
  return data.kernels.find(
    (row) => row.name === name && row.locals.includes(local) && hasVersion(row.versions, release),
  );
}

/** `1.18.*` fits 1.18 and all its patches; `2.7` is 2.7.0. */
function hasVersion(versions: readonly string[], release: string): boolean {
  return versions.some((known) => {
    if (known.endsWith(".*")) return `${release}.`.startsWith(known.slice(0, -1));
    const dotted = isDottedVersion(known) && isDottedVersion(release);
    return dotted ? compareDotted(known, release) === 0 : known === release;
  });
}

function buildOf(data: GpuData, row: FrameworkRow, version: string, build: BuildRow): FrameworkBuild {
  const { local, cuda, rocm, cudnn, needs, driver } = build;
  const indexUrl = (build.index ?? row.index)?.replaceAll("{local}", local);
  const kernels = kernelRow(data, row.name, version, local);
  const minimumCapability = build.minimumCapability ?? row.minimumCapability;
  return {
    name: row.name,
    version,
    local,
    ...(cuda ? { cuda } : {}),
    ...(rocm === undefined ? {} : { rocm }),
    ...(cudnn ? { cudnn } : {}),
    ...(needs === undefined ? {} : { needs }),
    ...(driver ? { driver } : {}),
    ...(indexUrl === undefined ? {} : { indexUrl }),
    ...(row.python === null ? {} : { python: row.python }),
    ...(kernels ? { kernels: knownKernels(kernels) } : {}),
    ...(minimumCapability === undefined ? {} : { minimumCapability }),
    isDefault: row.default === local,
    companions: row.companions ?? {},
  };
}

function knownKernels({ cubins, range, ptx }: KernelRow): KnownKernels {
  if (range) return { kind: "range", low: range[0], high: range[1], ptx };
  return { kind: "list", kernels: { cubins: cubins ?? [], ptx } };
}

function unknownRelease(data: GpuData, name: string, release: string): string {
  const known = frameworkReleases(data, name);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined) return `the data has nothing about \`${name}\``;
  return `the data does not know ${name} ${release}; what it has goes from ${first} to ${last}`;
}

function unknownBuild(row: FrameworkRow, release: string, local: string): string {
  const builds = row.builds?.map((build) => build.local).filter((word) => word !== "") ?? [];
  const has = builds.length === 0 ? "" : `; what it has is ${builds.join(", ")}`;
  return `the data does not know the build \`${local}\` of ${row.name} ${release}${has}`;
}
