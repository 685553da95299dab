// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";

/** A path as `WORKDIR` means it: relative to `directory`, clean, without a trailing slash. */
export function workdirPath(directory: string, path: string): string {
  const joined = posix.resolve(directory || "/", path);
  return joined.startsWith("/") ? joined : `/${joined}`;
}

/** A destination as COPY means it: absolute and clean; a trailing slash or dot, which says "a directory", is kept. */
export function destinationPath(directory: string, path: string): string {
  const written = path === "" || path === "." ? "./" : path;
  const isFolder = written.endsWith("/") || written.endsWith("/.") || written === "..";
  const clean = posix.resolve(directory || "/", written);
  return isFolder && clean !== "/" ? `${clean}/` : clean;
}
