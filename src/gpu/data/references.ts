// SPDX-License-Identifier: Apache-2.0
/* Sources: every row names where it is from, and each name stands for a URL. */
import { dataError } from "./reader.ts";
import type { GpuData, Row } from "./types.ts";

/** Every row of the data with its place. */
export function rowsWithPlaces(data: GpuData): readonly (readonly [string, Row])[] {
  const { toolkits, capabilities, minor, compat, drivers, architectures, chips, frameworks, kernels, cudnn, rocm } =
    data;
  const tables = {
    toolkits,
    capabilities,
    minor,
    compat,
    drivers,
    architectures,
    chips,
    frameworks,
    kernels,
    cudnn,
    rocm,
  };
  return Object.entries(tables).flatMap(([name, rows]) =>
    rows.map((row: Row, place: number) => [`${name}[${place}]`, row] as const),
  );
}

/** Throws `E_GPU_DATA` when a row names a source that is not there. */
export function checkReferences(data: GpuData): void {
  for (const [place, { source }] of rowsWithPlaces(data)) {
    const unknown = source.find((reference) => !Object.hasOwn(data.sources, nameOf(reference)));
    if (unknown !== undefined)
      throw dataError(`${place}.source`, `names \`${unknown}\`, which is not among \`sources\``);
  }
}

/** The URLs of a row's sources. */
export function sourceUrls(data: GpuData, rows: readonly Row[], version = ""): readonly string[] {
  const urls = rows.flatMap(({ source }) =>
    source.map((reference) => {
      const name = nameOf(reference);
      const url = data.sources[name] ?? name;
      return url.replaceAll("{version}", version).replaceAll("{}", reference.slice(name.length + 1));
    }),
  );
  return [...new Set(urls)];
}

function nameOf(reference: string): string {
  const colon = reference.indexOf(":");
  return colon < 0 ? reference : reference.slice(0, colon);
}
