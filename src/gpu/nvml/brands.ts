// SPDX-License-Identifier: Apache-2.0

/** `nvmlBrandType_t` in order, as `NVIDIA_REQUIRE_*` of images writes them. */
const BRANDS: readonly string[] = [
  "unknown",
  "quadro",
  "tesla",
  "nvs",
  "grid",
  "geforce",
  "titan",
  "vapps",
  "vpc",
  "vcs",
  "vws",
  "cloudgaming",
  "quadrortx",
  "nvidiartx",
  "nvidia",
  "geforcertx",
  "titanrtx",
];

/** The name of a brand; one that is newer than this table is `unknown`. */
export function brandName(value: number): string {
  return BRANDS[value] ?? "unknown";
}
