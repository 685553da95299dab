// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { delimiter, join } from "node:path";
import { execute } from "../base/index.ts";

const FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The absolute path of a program in PATH or where the system has its own, or undefined. */
export function findProgram(name: string, path: string = ""): string | undefined {
  const folders = [...path.split(delimiter).filter((folder) => folder.startsWith("/")), ...FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.X_OK);
    return fs.statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The first number with dots that `program --version` prints; undefined when it prints none. */
export async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await execute(path, ["--version"], { env: { LC_ALL: "C" } });
    return /\d+(\.\d+)+[\w.+~-]*/.exec(`${stdout}\n${stderr}`)?.[0];
  } catch {
    return undefined;
  }
}
