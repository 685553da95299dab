// SPDX-License-Identifier: Apache-2.0
import { TareError, randomHex } from "../base/index.ts";

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;

/** Checks a volume's name, which is a folder's name too. Throws `E_VOLUME_NAME`. */
export function checkVolumeName(name: string): string {
  if (VOLUME_NAME.test(name)) return name;
  throw new TareError("E_VOLUME_NAME", `naming the volume \`${name.slice(0, 260)}\`: not a valid name`, {
    hint: "use letters, digits, `_`, `.` and `-`; for a folder of this machine write an absolute path",
  });
}

/** The name of a volume that nobody named. */
export function anonymousName(): string {
  return randomHex(32);
}

/** Names of anonymous volumes: made like container ids. */
export function looksAnonymous(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}
