// SPDX-License-Identifier: Apache-2.0
/* Versions as NVIDIA writes them: `535.104.05`, `12.8`, `8.6`. */

/** The numbers of a dotted version, or undefined when the text is none. */
function versionNumbers(text: string): readonly number[] | undefined {
  return /^\d{1,9}(?:\.\d{1,9})*$/.test(text) ? text.split(".").map(Number) : undefined;
}

/** True for dotted numbers. */
export function isDottedVersion(text: string): boolean {
  return versionNumbers(text) !== undefined;
}

/** Below, at or above zero as `left` is older, equal or newer. What is missing at the end counts as 0: `12` is `12.0`. */
export function compareDotted(left: string, right: string): number {
  const [a, b] = [versionNumbers(left) ?? [], versionNumbers(right) ?? []];
  for (let place = 0; place < Math.max(a.length, b.length); place += 1) {
    const difference = (a[place] ?? 0) - (b[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The first number: a driver's branch, CUDA's major version. NaN when the text is no version. */
export function majorOf(version: string): number {
  return versionNumbers(version)?.[0] ?? Number.NaN;
}

/** `12.8.1` as `12.8`: CUDA's drivers and rules go by the minor version. */
export function minorOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
