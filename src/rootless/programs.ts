// SPDX-License-Identifier: Apache-2.0
import { accessSync, constants } from "node:fs";
import { TareError } from "../base/index.ts";

/** Programs that make and join namespaces are the system's, whatever the user's PATH. */
export const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The absolute path of a program of the system; its name alone when it is missing. */
export function locate(name: string): string {
  return (
    SEARCH_PATH.split(":")
      .map((folder) => `${folder}/${name}`)
      .find(isExecutable) ?? name
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The error for a namespace that this host does not give. */
export function refused(why: string): TareError {
  return new TareError("E_USERNS", `making a user namespace: ${why || "the kernel refuses"}`, {
    hint: "`tare system check` says what this host has to allow; with sudo it works without",
    exitCode: 125,
  });
}
