// SPDX-License-Identifier: Apache-2.0
/*
 * Times in a layer that a RUN made. Whatever the step wrote carries the time of the build; it is set back, so that
 * the same result has the same digest tomorrow. Compiled Python files hold the time of their source (PEP 552): they
 * are told the new one, or every start of the program would compile again.
 */
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";

/** Times (seconds) later than `after` become `to`. */
export interface Clamp {
  readonly after: number;
  readonly to: number;
}

/** Sets back the times of everything in the tree; never follows links. */
export function normaliseTimes(root: string, clamp: Clamp): void {
  // Compiled files are compared with their sources' times, so they come first.
  const times: string[] = [];
  visit(root, (path, entry) => {
    if (entry.isFile() && entry.name.endsWith(".pyc")) retimeCompiled(path, clamp);
    times.push(path);
  });
  for (const path of times) clampOne(path, clamp);
}

/** Children before their directory, so that setting a directory's time is the last thing done to it. */
function visit(directory: string, see: (path: string, entry: fs.Dirent) => void): void {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) visit(path, see);
    see(path, entry);
  }
}

function clampOne(path: string, clamp: Clamp): void {
  const stats = fs.lstatSync(path);
  if (stats.mtimeMs / 1000 > clamp.after) fs.lutimesSync(path, clamp.to, clamp.to);
}

const HEADER = 16;

/** PEP 552: bytes 4–8 flags (0: by time), 8–12 the source's time, 12–16 its size, all little-endian. */
function retimeCompiled(path: string, clamp: Clamp): void {
  const match = /^(.+?)\.[^.]+(?:\.opt-\w+)?\.pyc$/.exec(basename(path));
  if (!match) return;
  const source = fs.lstatSync(join(dirname(dirname(path)), `${match[1]}.py`), { throwIfNoEntry: false });
  if (!source?.isFile() || source.mtimeMs / 1000 <= clamp.after) return;
  const descriptor = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW);
  try {
    const header = Buffer.alloc(HEADER);
    if (fs.readSync(descriptor, header, 0, HEADER, 0) < HEADER || header.readUInt32LE(4) !== 0) return;
    if (header.readUInt32LE(8) !== Math.floor(source.mtimeMs / 1000) >>> 0) return;
    header.writeUInt32LE(clamp.to >>> 0, 8);
    fs.writeSync(descriptor, header, 8, 4, 8);
  } finally {
    fs.closeSync(descriptor);
  }
}
