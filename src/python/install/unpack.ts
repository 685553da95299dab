// SPDX-License-Identifier: Apache-2.0
/* Writes the files of a layer into a tree that nobody else sees yet. Runs in this process or in a worker thread. */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { TareError, ioError, systemErrorCode, writeAll } from "../../base/index.ts";
import { LAYER_TIME, openLayerFiles } from "./layer-files.ts";
import type { PlannedContent } from "../../archive/index.ts";
import type { InstallSettings, ReplacedFile, WheelToInstall } from "./layer-files.ts";

/** A part of the work: every file of a layer, or a share of about equal cost. */
export interface UnpackJob {
  readonly kind: "unpack";
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
  /** Of the whole layer. */
  readonly replaced: readonly ReplacedFile[];
}

/** Does a job. Throws as `openLayerFiles`, and `E_ZIP_CONTENT`, `E_NOSPACE`, `E_IO`. */
export async function unpack(job: UnpackJob, signal?: AbortSignal): Promise<UnpackReport> {
  const layer = openLayerFiles(job.wheels, job.settings);
  const writer = new TreeWriter(job.tree);
  try {
    for (const [index, [path, file]] of partOf([...layer.files], job).entries()) {
      if (index % 64 === 0) signal?.throwIfAborted();
      await writer.file(path, file);
    }
  } catch (error) {
    throw ioError(`installing ${names(job.wheels)}`, error);
  } finally {
    layer.close();
  }
  return { ...writer.report(), replaced: layer.replaced };
}

function names(wheels: readonly WheelToInstall[]): string {
  const [first] = wheels;
  const more = wheels.length > 1 ? ` and ${wheels.length - 1} more` : "";
  return `\`${first?.fileName ?? ""}\`${more}`;
}

type NamedFile = readonly [path: string, file: PlannedContent];

/** A share of about equal bytes: the largest files are dealt out first. */
function partOf(files: readonly NamedFile[], { part, parts }: UnpackJob): readonly NamedFile[] {
  if (parts === 1) return files;
  const loads = Array.from({ length: parts }, () => 0);
  const bySize = files.toSorted(([, a], [, b]) => b.size - a.size);
  return bySize.filter(([, { size }]) => {
    const least = loads.indexOf(Math.min(...loads));
    loads[least] = (loads[least] ?? 0) + size + FILE_COST;
    return least === part;
  });
}

/** Making a file costs about as much as writing this many bytes. */
const FILE_COST = 30_000;

class TreeWriter {
  readonly #tree: string;
  readonly #folders = new Set<string>();
  #files = 0;
  #size = 0;

  constructor(tree: string) {
    this.#tree = tree;
  }

  report(): Omit<UnpackReport, "replaced"> {
    return { files: this.#files, size: this.#size, folders: [...this.#folders] };
  }

  async file(name: string, file: PlannedContent): Promise<void> {
    const path = `${this.#tree}/${name}`;
    this.#folder(dirname(path));
    const descriptor = this.#open(path, name);
    try {
      await writeContent(file, descriptor);
      fs.fchmodSync(descriptor, file.mode);
      fs.futimesSync(descriptor, LAYER_TIME, LAYER_TIME);
    } finally {
      fs.closeSync(descriptor);
    }
    this.#files += 1;
    this.#size += file.size;
  }

  #open(path: string, name: string): number {
    try {
      return fs.openSync(path, "wx", 0o600);
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
      throw new TareError("E_WHEEL", `\`/${name}\` is there already, under a name that this disk takes for it`, {
        hint: "keep the store on a file system that tells capitals from small letters",
      });
    }
  }

  #folder(path: string): void {
    if (path.length <= this.#tree.length || this.#folders.has(path)) return;
    this.#folder(dirname(path));
    try {
      fs.mkdirSync(path, 0o755);
      // The user's mask takes bits away, and the digest must not depend on it.
      fs.chmodSync(path, 0o755);
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST" || !fs.lstatSync(path).isDirectory()) throw error;
    }
    this.#folders.add(path);
  }
}

async function writeContent({ content, observe }: PlannedContent, descriptor: number): Promise<void> {
  const observer = observe?.();
  const write = (chunk: Uint8Array): void => {
    observer?.update(chunk);
    writeAll(descriptor, chunk);
  };
  if (Buffer.isBuffer(content)) write(content);
  else await content.zip.extractEntry(content.entry, { write });
  observer?.end();
}
