// SPDX-License-Identifier: Apache-2.0
/* Writes planned files into a tree that nobody else sees yet. Runs in this process or in a worker thread. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { dirname } from "node:path";
import { openZip } from "../../archive/index.ts";
import { DEFAULT_EPOCH, ioError, systemErrorCode } from "../../base/index.ts";
import { slimRules } from "./slim.ts";
import { planInstall } from "./plan.ts";
import { recordError, wheelError } from "./wheel-facts.ts";
import type { ZipFile } from "../../archive/index.ts";
import type { DirectUrl, InstallScheme } from "../types.ts";
import type { InstallPlan, PlannedFile } from "./plan.ts";

/** A wheel to install, as plain data that can go to a thread. */
export interface WheelToInstall {
  /** Absolute path of the verified file. */
  readonly file: string;
  readonly fileName: string;
  readonly isRequested: boolean;
  readonly direct?: DirectUrl;
}

/** How wheels are installed. */
export interface InstallSettings {
  readonly scheme: InstallScheme;
  readonly executable: string;
  readonly python: string;
  /** Names of the rules of `--slim`. */
  readonly slim: readonly string[];
}

/** A part of the work: some wheels in order, or every `of`-th piece of one. */
export interface UnpackJob {
  readonly wheels: readonly WheelToInstall[];
  readonly settings: InstallSettings;
  /** The tree's root. */
  readonly tree: string;
  readonly part: number;
  readonly parts: number;
}

/** What a job wrote. */
export interface UnpackReport {
  readonly files: number;
  /** Bytes of content. */
  readonly size: number;
  /** Absolute paths of directories it put something into. */
  readonly folders: readonly string[];
  /** Files of one wheel that replaced those of an earlier one. */
  readonly replaced: readonly { readonly path: string; readonly by: string }[];
}

/** The plan of a wheel under these settings: the same whenever it is made. */
export function planOf(zip: ZipFile, wheel: WheelToInstall, settings: InstallSettings): InstallPlan {
  const { scheme, executable, python, slim } = settings;
  return planInstall(zip, wheel.fileName, {
    scheme,
    executable,
    python,
    isRequested: wheel.isRequested,
    ...(wheel.direct === undefined ? {} : { direct: wheel.direct }),
    ...(slim.length === 0 ? {} : { leavesOut: slimRules(slim) }),
  });
}

/** Does a job. Throws `E_WHEEL`, `E_WHEEL_RECORD`, `E_ZIP…`, `E_NOSPACE`, `E_IO`. */
export async function unpack(job: UnpackJob, signal?: AbortSignal): Promise<UnpackReport> {
  const writer = new TreeWriter(job.tree);
  for (const wheel of job.wheels) {
    signal?.throwIfAborted();
    const zip = openZip(wheel.file);
    try {
      const { files } = planOf(zip, wheel, job.settings);
      for (const [index, file] of partOf(files, job).entries()) {
        if (index % 64 === 0) signal?.throwIfAborted();
        await writer.file(zip, file, wheel.fileName);
      }
    } catch (error) {
      throw ioError(`installing \`${wheel.fileName}\``, error);
    } finally {
      zip.close();
    }
  }
  return writer.report();
}

/** A share of about equal bytes: the largest files are dealt out first. */
function partOf(files: readonly PlannedFile[], { part, parts }: UnpackJob): readonly PlannedFile[] {
  if (parts === 1) return files;
  const loads = Array.from({ length: parts }, () => 0);
  const bySize = files.toSorted((a, b) => sizeOf(b) - sizeOf(a));
  return bySize.filter((file) => {
    const least = loads.indexOf(Math.min(...loads));
    loads[least] = (loads[least] ?? 0) + sizeOf(file) + FILE_COST;
    return least === part;
  });
}

/** Making a file costs about as much as writing this many bytes. */
const FILE_COST = 30_000;

function sizeOf({ entry, bytes }: PlannedFile): number {
  return entry?.size ?? bytes?.length ?? 0;
}

class TreeWriter {
  readonly #tree: string;
  readonly #folders = new Set<string>();
  readonly #replaced: { path: string; by: string }[] = [];
  readonly #paths = new Set<string>();
  #files = 0;
  #size = 0;

  constructor(tree: string) {
    this.#tree = tree;
  }

  report(): UnpackReport {
    return { files: this.#files, size: this.#size, folders: [...this.#folders], replaced: this.#replaced };
  }

  async file(zip: ZipFile, file: PlannedFile, wheel: string): Promise<void> {
    const path = `${this.#tree}/${file.path}`;
    this.#folder(dirname(path), wheel);
    const descriptor = this.#open(path, file, wheel);
    try {
      if (file.bytes) writeAll(descriptor, file.bytes);
      else if (file.entry) await writeEntry(zip, file, descriptor, wheel);
      fs.fchmodSync(descriptor, file.mode);
      fs.futimesSync(descriptor, DEFAULT_EPOCH, DEFAULT_EPOCH);
    } finally {
      fs.closeSync(descriptor);
    }
    this.#paths.add(file.path);
    this.#files += 1;
    this.#size += sizeOf(file);
  }

  #open(path: string, file: PlannedFile, wheel: string): number {
    try {
      return fs.openSync(path, "wx", file.mode);
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      if (!this.#paths.has(file.path)) {
        throw wheelError(
          wheel,
          `\`/${file.path}\` is there already, as a folder or under a name that the disk takes for it`,
        );
      }
      this.#replaced.push({ path: file.path, by: wheel });
      fs.rmSync(path);
      return fs.openSync(path, "wx", file.mode);
    }
  }

  #folder(path: string, wheel: string): void {
    if (path.length <= this.#tree.length || this.#folders.has(path)) return;
    this.#folder(dirname(path), wheel);
    try {
      fs.mkdirSync(path, 0o755);
      // The user's mask takes bits away, and the digest must not depend on it.
      fs.chmodSync(path, 0o755);
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      if (!fs.lstatSync(path).isDirectory()) {
        throw wheelError(wheel, `it has a folder \`${path.slice(this.#tree.length)}\`, where another wheel has a file`);
      }
    }
    this.#folders.add(path);
  }
}

/** Up to this size a file is inflated in one piece. */
const SMALL = 4 << 20;

async function writeEntry(zip: ZipFile, file: PlannedFile, descriptor: number, wheel: string): Promise<void> {
  const { entry, hash } = file;
  if (entry === undefined) return;
  const [algorithm = "", expected] = hash?.split("=") ?? [];
  let actual: string | undefined;
  if (entry.size <= SMALL) {
    const bytes = zip.readEntry(entry, SMALL * 2);
    writeAll(descriptor, bytes);
    if (expected !== undefined) actual = createHash(algorithm).update(bytes).digest("base64url");
  } else {
    const hasher = expected === undefined ? undefined : createHash(algorithm);
    await zip.extractEntry(entry, {
      write: (chunk) => {
        hasher?.update(chunk);
        writeAll(descriptor, chunk);
      },
    });
    actual = hasher?.digest("base64url");
  }
  if (expected !== undefined && actual !== expected.replace(/=+$/, "")) {
    throw recordError(wheel, `\`${entry.name}\` has another hash`);
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += fs.writeSync(descriptor, bytes, at);
}
