// SPDX-License-Identifier: Apache-2.0

/** 64 hex digits that belong to a text: FNV-1a eight times. Nobody gains by two that are equal, and sha256 costs 5 ms of loading. */
export function stableId(text: string): string {
  const bytes = Buffer.from(text);
  return Array.from({ length: 8 }, (_, index) => fnv(bytes, index).toString(16).padStart(8, "0")).join("");
}

function fnv(bytes: Uint8Array, seed: number): number {
  let hash = (0x811c9dc5 + seed * 0x9e3779b9) >>> 0;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  // The last byte should change all digits.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
