// SPDX-License-Identifier: Apache-2.0
/* Core metadata (METADATA, PKG-INFO): name, version, and what it asks of NVIDIA's distributions. */
import { normalizeName } from "../../python/index.ts";

/** What the metadata of a distribution says. */
export interface Metadata {
  /** Normalised. */
  readonly name: string;
  readonly version: string;
  /** Normalised names of everything that it asks for, whatever the marker. */
  readonly needs: readonly string[];
  /** Versions of NVIDIA's distributions that it asks for exactly. */
  readonly pins: Readonly<Record<string, string>>;
}

const REQUIREMENT = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*\(?\s*(?:==\s*([0-9][0-9A-Za-z.+!_-]*)(?!\S))?/;

/** Parses the text; undefined when it has no name or version. What follows the first empty line is prose. */
export function parseMetadata(text: string): Metadata | undefined {
  const lines = (/^(?:[^\r\n]+\r?\n)*/.exec(text)?.[0] ?? "").split(/\r?\n/);
  const first = (header: string): string | undefined => valuesOf(lines, header)[0];
  const [name, version] = [first("name"), first("version")];
  if (name === undefined || version === undefined || name === "" || version === "") return undefined;
  const asked = valuesOf(lines, "requires-dist").flatMap((value) => {
    const [, needed, pinned] = REQUIREMENT.exec(value.replace(/[;)].*$/, "").trimEnd()) ?? [];
    return needed === undefined ? [] : [{ name: normalizeName(needed), version: pinned }];
  });
  const pins = asked.flatMap((one) =>
    one.version !== undefined && isNvidia(one.name) ? [[one.name, one.version]] : [],
  );
  return {
    name: normalizeName(name),
    version,
    needs: [...new Set(asked.map((one) => one.name))],
    pins: Object.fromEntries(pins),
  };
}

function valuesOf(lines: readonly string[], header: string): readonly string[] {
  return lines.flatMap((line) => {
    const at = line.indexOf(":");
    return line.slice(0, at).toLowerCase() === header ? [line.slice(at + 1).trim()] : [];
  });
}

/** True for distributions of NVIDIA's CUDA: `nvidia-cublas-cu12`, `cuda-toolkit`. */
export function isNvidia(name: string): boolean {
  return /^(?:nvidia-|cuda-(?:toolkit|bindings|python|core)$)/.test(name);
}

/** Distributions whose versions are those of the toolkit. */
const OF_TOOLKIT = /^(?:nvidia-cuda-(?:runtime|nvrtc|cupti|nvcc)(?:-cu\d+)?|cuda-toolkit)$/;
/** The runtime's version counts before those of its companions. */
const RUNTIME = /^(?:nvidia-cuda-runtime(?:-cu\d+)?|cuda-toolkit)$/;

/** Whether a distribution is CUDA's runtime, whose version others ask for. */
export function isRuntime(name: string): boolean {
  return RUNTIME.test(name);
}

/** CUDA by the version of a distribution itself: `nvidia-cuda-runtime-cu12` 12.8.57 is of CUDA 12.8. */
export function cudaOfDistribution(name: string, version: string): string | undefined {
  return OF_TOOLKIT.test(name) ? majorMinor(version) : undefined;
}

/** CUDA by exact requirements. */
export function cudaOfPins(pins: Readonly<Record<string, string>>): string | undefined {
  const names = Object.keys(pins).filter((name) => OF_TOOLKIT.test(name));
  const name = names.find(isRuntime) ?? names[0];
  return name === undefined ? undefined : majorMinor(pins[name] ?? "");
}

/** CUDA by a local version: `2.7.0+cu128`. */
export function cudaOfLocal(version: string): string | undefined {
  const [, major, minor] = /\+(?:[\w.]*\.)?cu(\d\d)(\d)(?:$|[^\d])/.exec(version) ?? [];
  return major === undefined ? undefined : `${major}.${minor}`;
}

function majorMinor(version: string): string | undefined {
  return /^\d+\.\d+/.exec(version)?.[0];
}
