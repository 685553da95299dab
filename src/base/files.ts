// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import { TareError, messageOf, systemErrorCode } from "./errors.ts";

/** Writes a file so that a reader or a crash sees the old content or the new, never a part: temp file, sync, rename. */
export function writeFileAtomic(path: string, data: string | Uint8Array, mode: number = 0o600): void {
  const temporary = join(dirname(path), `.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const descriptor = fs.openSync(temporary, "wx", mode);
    try {
      fs.writeFileSync(descriptor, data);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(temporary, path);
    syncDirectory(dirname(path));
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw ioError(`writing \`${path}\``, error);
  }
}

/** Flushes a directory's entries to disk, so that a rename in it survives a power cut. */
export function syncDirectory(path: string): void {
  const descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Deletes a tree, whatever its modes; a missing tree is no error. Never follows symbolic links. */
export function removeTree(path: string): void {
  fs.rmSync(path, { recursive: true, force: true, maxRetries: 2 });
}

/** Creates a directory and its parents with mode 0700 unless told otherwise. */
export function ensureDirectory(path: string, mode: number = 0o700): void {
  fs.mkdirSync(path, { recursive: true, mode });
}

/** Reads a UTF-8 file, or undefined when there is none. */
export function readTextIfPresent(path: string): string | undefined {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "ENOTDIR") return undefined;
    throw ioError(`reading \`${path}\``, error);
  }
}

/** Turns a file system error into a `TareError` that says what was being done. */
export function ioError(doing: string, error: unknown): TareError {
  if (error instanceof TareError) return error;
  const code = systemErrorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new TareError("E_NOSPACE", `${doing}: no space left on the disk`, {
      hint: "free some space (`tare system df` shows what Tare uses, `tare system prune` removes what nothing needs)",
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new TareError("E_PERMISSION", `${doing}: ${reasonOf(error)}`, {
      hint: "run as root or choose another folder with `--root`",
      cause: error,
    });
  }
  return new TareError("E_IO", `${doing}: ${reasonOf(error)}`, {
    ...(code === "ENOENT" ? { hint: "check the path and from which folder it is meant" } : {}),
    cause: error,
  });
}

/** Node writes "ENOENT: no such file or directory, open 'x'"; the call and the path are no news to the user. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return /^E[A-Z0-9]+: ([^,]+), \w+(?: '.*)?$/s.exec(message)?.[1] ?? message;
}
