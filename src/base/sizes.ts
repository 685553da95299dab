// SPDX-License-Identifier: Apache-2.0
/** A size in decimal units, as sizes of downloads are told. */
export function megabytes(size: number): string {
  if (size >= 1e9) return `${(size / 1e9).toFixed(2)} GB`;
  if (size >= 1e6) return `${(size / 1e6).toFixed(size >= 1e7 ? 0 : 1)} MB`;
  return `${Math.max(1, Math.round(size / 1e3))} kB`;
}
