// SPDX-License-Identifier: Apache-2.0
/*
 * Which driver runs which CUDA. A driver may be given by its branch alone (`535`): then any release of it is meant, and
 * a minimum inside the branch counts as met.
 */
import { compareDotted, isDottedVersion, majorOf, minorOf } from "../versions.ts";
import { sourceUrls } from "./references.ts";
import type { Answer, DriverRow, GpuData, MinorRow, Verdict } from "./types.ts";

/** The lowest drivers for a toolkit. */
export interface MinimumDriver {
  /** For everything that the toolkit can do. */
  readonly native: string | null;
  /** For its finished machine code, by minor-version compatibility (CUDA 11 and later). */
  readonly minor: string | null;
}

/** The minimum Linux drivers of a toolkit (`12.8`, or a release of it). */
export function minimumDriver(data: GpuData, cuda: string): Answer<MinimumDriver> {
  if (!isDottedVersion(cuda)) return { known: false, reason: `\`${cuda}\` is no version of CUDA` };
  const row = data.toolkits.find((toolkit) => toolkit.cuda === minorOf(cuda));
  const rule = minorRule(data, cuda);
  if (!row?.driver && !rule) return { known: false, reason: `the data does not know the driver of CUDA ${cuda}` };
  return {
    known: true,
    value: { native: row?.driver ?? null, minor: rule?.driver ?? null },
    sources: sourceUrls(data, [...(row ? [row] : []), ...(rule ? [rule] : [])]),
  };
}

/** The rule of minor-version compatibility for a toolkit; that of the exact version before that of its major one. */
function minorRule(data: GpuData, cuda: string): MinorRow | undefined {
  const wanted = [minorOf(cuda), String(majorOf(cuda))];
  return wanted.map((version) => data.minor.find((rule) => rule.cuda === version)).find((rule) => rule !== undefined);
}

/** The newest CUDA that a driver carries; when it is not known exactly, what it carries at least. */
export type CudaOfDriver = Answer<string> & { readonly atLeast?: string };

/** The newest CUDA that a driver (`535.104.05`, `535`) carries itself: what nvidia-smi calls "CUDA Version". */
export function cudaOfDriver(data: GpuData, driver: string): CudaOfDriver {
  if (!isDottedVersion(driver)) return { known: false, reason: `\`${driver}\` is no version of a driver` };
  const exact = data.drivers.find(({ branch, cuda }) => branch === majorOf(driver) && cuda !== null);
  if (exact?.cuda && reaches(driver, packagedDriver(data, exact.cuda) ?? String(exact.branch))) {
    return { known: true, value: exact.cuda, sources: sourceUrls(data, [exact]) };
  }
  const older = data.drivers.filter(({ branch, cuda }) => branch < majorOf(driver) && cuda !== null).at(-1);
  const reason = exact
    ? `driver ${driver} is older than the first one that the data has of branch ${exact.branch}`
    : `the data does not know branch ${majorOf(driver)} of NVIDIA's drivers`;
  return { known: false, reason, ...(older?.cuda ? { atLeast: older.cuda } : {}) };
}

function packagedDriver(data: GpuData, cuda: string): string | null | undefined {
  return data.toolkits.find((toolkit) => toolkit.cuda === cuda)?.driver;
}

/** True when a driver, or some release of its branch, is at least `minimum`. */
function reaches(driver: string, minimum: string): boolean {
  if (!driver.includes(".")) return majorOf(driver) >= majorOf(minimum);
  return compareDotted(driver, minimum) >= 0;
}

/** A driver's branch as the data has it. */
export function driverBranch(data: GpuData, driver: string): DriverRow | undefined {
  return data.drivers.find(({ branch }) => branch === majorOf(driver));
}

/** How a toolkit gets on with a driver. */
export type RunsOn = Verdict<"native" | "minor-compatibility" | "forward-compatibility" | "no" | "unknown">;

/** What may help a driver that is too old. */
export interface RunsOnOptions {
  /** `cuda-compat` of the image: the CUDA that it brings and the branches it goes with. */
  readonly compat?: { readonly cuda: string; readonly drivers: readonly number[] };
}

/**
 * Whether programs made with a toolkit run on a driver. `minor-compatibility` is for finished machine code alone: PTX
 * of a newer toolkit can't be compiled by an older driver. `forward-compatibility` holds on GPUs for data centres, some
 * RTX cards that NVIDIA certified for servers, and Jetson only.
 */
export function runsOn(data: GpuData, toolkit: string, driver: string, { compat }: RunsOnOptions = {}): RunsOn {
  const wrong = [toolkit, driver].find((version) => !isDottedVersion(version));
  if (wrong !== undefined) return { verdict: "unknown", reason: `\`${wrong}\` is no version`, sources: [] };
  return (
    runsNatively(data, toolkit, driver) ??
    runsByMinor(data, toolkit, driver) ??
    runsByCompat(data, toolkit, driver, compat) ??
    tooOld(data, toolkit, driver)
  );
}

function runsNatively(data: GpuData, toolkit: string, driver: string): RunsOn | undefined {
  const carried = cudaOfDriver(data, driver);
  const cuda = carried.known ? carried.value : carried.atLeast;
  const row = data.toolkits.find(({ cuda: known }) => known === minorOf(toolkit));
  if (cuda !== undefined && compareDotted(minorOf(toolkit), cuda) <= 0) {
    const reason = `driver ${driver} carries CUDA ${carried.known ? "" : "at least "}${cuda}`;
    const sources = carried.known
      ? carried.sources
      : sourceUrls(
          data,
          data.drivers.filter((known) => known.cuda === cuda),
        );
    return { verdict: "native", reason, sources };
  }
  if (!row?.driver || !reaches(driver, row.driver)) return undefined;
  const reason = `CUDA ${toolkit} needs driver ${row.driver} or newer, and this is ${driver}`;
  return { verdict: "native", reason, sources: sourceUrls(data, [row]) };
}

function runsByMinor(data: GpuData, toolkit: string, driver: string): RunsOn | undefined {
  const rule = minorRule(data, toolkit);
  if (!rule || !reaches(driver, rule.driver)) return undefined;
  return {
    verdict: "minor-compatibility",
    reason: `machine code of any CUDA ${majorOf(toolkit)} runs on driver ${rule.driver} or newer, and this is ${driver}`,
    sources: sourceUrls(data, [rule]),
  };
}

function runsByCompat(
  data: GpuData,
  toolkit: string,
  driver: string,
  compat: RunsOnOptions["compat"],
): RunsOn | undefined {
  if (!compat || compareDotted(compat.cuda, minorOf(toolkit)) < 0) return undefined;
  if (!compat.drivers.includes(majorOf(driver))) return undefined;
  return {
    verdict: "forward-compatibility",
    reason: `the image brings cuda-compat ${compat.cuda}, which goes with drivers of branch ${majorOf(driver)}`,
    sources: sourceUrls(
      data,
      data.compat.filter(({ cuda }) => cuda === compat.cuda),
    ),
  };
}

function tooOld(data: GpuData, toolkit: string, driver: string): RunsOn {
  const minimum = minimumDriver(data, toolkit);
  const needed = minimum.known ? (minimum.value.minor ?? minimum.value.native) : null;
  if (!minimum.known || needed === null) {
    return { verdict: "unknown", reason: `the data does not know the driver of CUDA ${toolkit}`, sources: [] };
  }
  const reason = `CUDA ${toolkit} needs driver ${needed} or newer, and this is ${driver}`;
  return { verdict: "no", reason, sources: minimum.sources };
}

/** Branches of drivers that the `cuda-compat` package of a toolkit goes with, where the data has them. */
export function compatDrivers(data: GpuData, cuda: string): Answer<readonly number[]> {
  const row = data.compat.find((compat) => compat.cuda === minorOf(cuda));
  if (!row) return { known: false, reason: `the data does not know the drivers of cuda-compat ${cuda}` };
  return { known: true, value: row.drivers, sources: sourceUrls(data, [row]) };
}
