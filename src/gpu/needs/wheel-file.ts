// SPDX-License-Identifier: Apache-2.0
import { openZip } from "../../archive/index.ts";
import type { ZipEntry } from "../../archive/index.ts";
import type { GpuPackage } from "../types.ts";
import { needsOfDistribution } from "./distribution.ts";
import { zipObject } from "./shared-object.ts";
import { isSharedObject } from "./signs.ts";
import type { NeedsOptions } from "./types.ts";

const LARGEST_METADATA = 8 << 20;

/** What a wheel at a path needs of GPUs; undefined when it uses none. Throws `E_ZIP…`, `E_BOMB`, `E_IO`. */
export async function needsOfWheelFile(path: string, options: NeedsOptions = {}): Promise<GpuPackage | undefined> {
  const zip = openZip(path);
  try {
    const metadata = zip.entries.find(({ name }) => /^[^/]+\.dist-info\/METADATA$/.test(name));
    if (metadata === undefined) return undefined;
    const text = zip.readEntry(metadata, LARGEST_METADATA).toString("utf8");
    const objects = zip.entries.filter(isObject).map((entry) => zipObject(zip, entry));
    return await needsOfDistribution({ metadata: text, objects }, options);
  } finally {
    zip.close();
  }
}

function isObject({ name, isDirectory }: ZipEntry): boolean {
  return !isDirectory && isSharedObject(name);
}
