// SPDX-License-Identifier: Apache-2.0
/* Compatibility tags (PEP 425, 600, 656): which wheels an interpreter takes, and which of several it prefers. */
import { TareError } from "../../base/index.ts";
import { normalizeName } from "../requirements/names.ts";
import { normalizeVersion } from "../requirements/versions.ts";
import type { PythonTarget } from "../types.ts";

/** The parts of a wheel's file name (binary distribution format, "File name convention"). */
export interface WheelName {
  /** Normalised. */
  readonly name: string;
  /** Normalised. */
  readonly version: string;
  /** `[number, rest]` of a build tag, or empty: greater ones win. */
  readonly build: readonly [number, string] | readonly [];
  /** Every tag that the compressed sets stand for: `cp311-cp311-manylinux_2_17_x86_64`. */
  readonly tags: readonly string[];
}

/** Takes a wheel's file name apart. Throws `E_WHEEL_NAME`. */
export function parseWheelName(fileName: string): WheelName {
  const match = /^([A-Za-z0-9_.]+)-([A-Za-z0-9_.!+]+)(?:-(\d[^-]*))?-([\w.]+)-([\w.]+)-([\w.]+)\.whl$/.exec(fileName);
  if (!match) throw badName(fileName);
  const [, name = "", version = "", build, pythons = "", abis = "", platforms = ""] = match;
  const tags = pythons
    .split(".")
    .flatMap((python) =>
      abis.split(".").flatMap((abi) => platforms.split(".").map((platform) => `${python}-${abi}-${platform}`)),
    );
  const [, number, rest = ""] = /^(\d+)(.*)$/.exec(build ?? "") ?? [];
  return {
    name: normalizeName(name),
    version: versionOf(version),
    build: number === undefined ? [] : [Number(number), rest],
    tags,
  };
}

function versionOf(text: string): string {
  try {
    return normalizeVersion(text.replaceAll("_", "-"));
  } catch {
    return text;
  }
}

function badName(fileName: string): TareError {
  return new TareError(
    "E_WHEEL_NAME",
    `reading the file name \`${fileName.slice(0, 200)}\`: it is not that of a wheel`,
    {
      hint: "wheels are named NAME-VERSION-PYTHON-ABI-PLATFORM.whl",
    },
  );
}

const MACHINES: Readonly<Record<string, string>> = {
  amd64: "x86_64",
  arm64: "aarch64",
  "386": "i686",
  arm: "armv7l",
  ppc64le: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
};

/** An image architecture as Python names the machine. */
export function machineOf(architecture: string): string {
  return MACHINES[architecture] ?? architecture;
}

/** All tags that a target takes, best first, as pip orders them. */
export function supportedTags(target: PythonTarget): readonly string[] {
  const [major = 3, minor = 0] = target.version.split(".").map(Number);
  const platforms = platformTags(target);
  const short = `${major}${minor}`;
  const isPypy = target.implementation === "pypy";
  const own = isPypy ? `pp${short}` : `cp${short}`;
  const abi = isPypy ? `pypy${short}_pp73` : `cp${short}${target.isFreeThreaded ? "t" : ""}`;
  const tags: string[] = [];
  // The stable ABI of free-threaded builds has a name of its own (PEP 803).
  const stable = target.isFreeThreaded ? "abi3t" : "abi3";
  for (const each of [abi, ...(isPypy ? [] : [stable]), "none"]) {
    tags.push(...platforms.map((platform) => `${own}-${each}-${platform}`));
  }
  if (!isPypy) {
    for (let older = minor - 1; older >= 2; older -= 1) {
      tags.push(...platforms.map((platform) => `cp${major}${older}-${stable}-${platform}`));
    }
  }
  const generic = [`py${short}`, `py${major}`, ...range(minor - 1, 0).map((older) => `py${major}${older}`)];
  for (const python of generic) tags.push(...platforms.map((platform) => `${python}-none-${platform}`));
  tags.push(`${own}-none-any`, ...generic.map((python) => `${python}-none-any`));
  return tags;
}

/** glibc versions that have a name of their own (PEP 513, 571, 599). */
const LEGACY: Readonly<Record<string, string>> = {
  "2_17": "manylinux2014",
  "2_12": "manylinux2010",
  "2_5": "manylinux1",
};
const NEWEST_GLIBC_MINOR = 50;

function platformTags(target: PythonTarget): readonly string[] {
  const machine = machineOf(target.architecture);
  const [major = 2, minor = 0] = target.libc.version.split(".").map(Number);
  const plain = `linux_${machine}`;
  if (target.libc.kind === "musl")
    return [...range(minor, 0).map((each) => `musllinux_${major}_${each}_${machine}`), plain];
  const oldest = machine === "x86_64" || machine === "i686" ? 5 : 17;
  const tags = range(Math.min(minor, NEWEST_GLIBC_MINOR), oldest).flatMap((each) => {
    const legacy = LEGACY[`${major}_${each}`];
    return [`manylinux_${major}_${each}_${machine}`, ...(legacy === undefined ? [] : [`${legacy}_${machine}`])];
  });
  return [...tags, plain];
}

/** From `first` down to `last`. */
function range(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, first - last + 1) }, (_, index) => first - index);
}

/** Chooses among wheels of one version: the best tag, then the greatest build tag. */
export class WheelChooser {
  readonly #ranks: ReadonlyMap<string, number>;

  constructor(target: PythonTarget) {
    this.#ranks = new Map(supportedTags(target).map((tag, rank) => [tag, rank]));
  }

  /** Position of the best of a wheel's tags; undefined when it does not fit. Names that are no wheel's do not fit. */
  rank(fileName: string): number | undefined {
    const name = fileName.endsWith(".whl") ? parseOrNothing(fileName) : undefined;
    const ranks = (name?.tags ?? []).map((tag) => this.#ranks.get(tag)).filter((rank) => rank !== undefined);
    return ranks.length === 0 ? undefined : Math.min(...ranks);
  }

  best<T extends { readonly fileName: string }>(files: readonly T[]): T | undefined {
    let best: { readonly file: T; readonly rank: number } | undefined;
    for (const file of files) {
      const rank = this.rank(file.fileName);
      if (rank === undefined) continue;
      if (best && (rank > best.rank || (rank === best.rank && compareBuilds(file.fileName, best.file.fileName) <= 0)))
        continue;
      best = { file, rank };
    }
    return best?.file;
  }
}

function parseOrNothing(fileName: string): WheelName | undefined {
  try {
    return parseWheelName(fileName);
  } catch {
    return undefined;
  }
}

function compareBuilds(a: string, b: string): number {
  const [numberA = -1, restA = ""] = parseWheelName(a).build;
  const [numberB = -1, restB = ""] = parseWheelName(b).build;
  return numberA - numberB || (restA < restB ? -1 : restA > restB ? 1 : 0);
}
