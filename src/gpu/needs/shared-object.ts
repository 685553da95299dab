// SPDX-License-Identifier: Apache-2.0
/* Shared objects of distributions: files of a layer, or members of a wheel. */
import type { ZipEntry, ZipFile } from "../../archive/index.ts";
import type { SharedObject } from "./types.ts";

/** A member of a wheel. */
export function zipObject(_zip: ZipFile, { name, size }: ZipEntry): SharedObject {
  return { path: name, size, read: () => Promise.resolve(undefined) };
}

/** A file of this machine. */
export function fileObject(path: string, _hostPath: string, size: number): SharedObject {
  return { path, size, read: () => Promise.resolve(undefined) };
}
