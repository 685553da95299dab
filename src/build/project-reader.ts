// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { ioError } from "../base/index.ts";
import type { ProjectReader } from "../project/index.ts";

/** Reads files of a folder; a link that leads out of it is not followed. */
export function folderReader(root: string): ProjectReader {
  const real = fs.realpathSync(root);
  const inside = (path: string): string | undefined => {
    const place = join(root, path);
    const stats = fs.statSync(place, { throwIfNoEntry: false });
    if (!stats) return undefined;
    return `${fs.realpathSync(place)}/`.startsWith(real === "/" ? "/" : `${real}/`) ? place : undefined;
  };
  return {
    read: (path) => {
      const place = inside(path);
      return place !== undefined && fs.statSync(place).isFile() ? readText(place) : undefined;
    },
    isFolder: (path) => {
      const place = inside(path);
      return place !== undefined && fs.statSync(place).isDirectory();
    },
    list: (path) => {
      const place = inside(path);
      return place !== undefined && fs.statSync(place).isDirectory() ? fs.readdirSync(place).sort() : [];
    },
  };
}

function readText(place: string): string {
  try {
    return fs.readFileSync(place, "utf8");
  } catch (error) {
    throw ioError(`reading \`${place}\``, error);
  }
}
