// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { TareError, ensureDirectory } from "../base/index.ts";

/**
 * The user's folder for what a reboot may forget: `$XDG_RUNTIME_DIR`, else `/run/user/UID` where the login manager has
 * made it (`su` and cron leave the variable out). Undefined where there is none. Touches nothing.
 */
export function userRunFolder(variable: string | undefined, uid: number | undefined): string | undefined {
  if (variable !== undefined && variable !== "") return variable;
  if (uid === undefined) return undefined;
  const usual = `/run/user/${uid}`;
  return fs.statSync(usual, { throwIfNoEntry: false })?.uid === uid ? usual : undefined;
}

/** Where the namespace is written down: below the run folder, else in one of /tmp that is the user's alone. Makes it. */
export function namespaceFolder(runFolder: string | undefined, uid: number): string {
  const folder = runFolder === undefined ? `/tmp/tare-${uid}` : `${runFolder}/tare`;
  ensureDirectory(folder);
  const { uid: owner, mode } = fs.lstatSync(folder);
  if (owner === uid && (mode & 0o022) === 0) return folder;
  throw new TareError("E_PERMISSION", `using the folder \`${folder}\`: others may write to it`, {
    hint: "remove it, or set XDG_RUNTIME_DIR to a folder of your own",
  });
}
