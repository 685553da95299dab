// SPDX-License-Identifier: Apache-2.0
/* An OCI layout folder to copy to; images that are in it stay. */
import * as fs from "node:fs";
import { join } from "node:path";
import { ensureDirectory, ioError, randomHex, systemErrorCode, writeAll, writeFileAtomic } from "../../base/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import { REF_ANNOTATION, nameAnnotations } from "../image-names.ts";
import { changeLayoutIndex } from "../layout-index.ts";
import { blobPath } from "../save.ts";
import type { CopyBlob, CopyDocument, CopyReceipt, DocumentRole, ImageTarget } from "./types.ts";

/** What an image is called in a layout. */
export interface LayoutName {
  /** As the user wrote it behind the folder. */
  readonly tag?: string;
  /** Full names that the source gives it; used when there is no tag. */
  readonly names: readonly string[];
}

const JOBS = 4;

/** Entries of an index.json: an image has one for each name; what refers to it is found by the index too. */
export function entriesFor(document: CopyDocument, role: DocumentRole, name: LayoutName): readonly Descriptor[] {
  if (role.kind === "part") return [];
  const { mediaType, digest, bytes } = document;
  const tag = role.kind === "tagged" ? role.tag : role.kind === "top" ? name.tag : undefined;
  const names = role.kind === "top" ? name.names : [];
  const entry = { mediaType, digest, size: bytes.length };
  if (tag !== undefined) return [{ ...entry, annotations: { [REF_ANNOTATION]: tag } }];
  return names.length === 0 ? [entry] : names.map((name) => ({ ...entry, annotations: nameAnnotations(name) }));
}

/** Copies into a folder by `work`; the image stands in index.json when that has ended. Throws `E_IO`, `E_LAYOUT`. */
export async function intoLayoutFolder<T>(
  folder: string,
  name: LayoutName,
  work: (target: ImageTarget) => Promise<T>,
): Promise<T> {
  const target = new FolderTarget(folder, name);
  try {
    const result = await work(target);
    await target.finish();
    return result;
  } catch (error) {
    throw ioError(`writing the OCI layout \`${folder}\``, error);
  }
}

class FolderTarget implements ImageTarget {
  readonly holds = "everything";
  readonly jobs: number = JOBS;
  readonly compresses = false;
  readonly canRepeat = true;
  readonly wantsDiffIds = false;
  readonly #folder: string;
  readonly #name: LayoutName;
  readonly #entries: Descriptor[] = [];

  constructor(folder: string, name: LayoutName) {
    this.#folder = folder;
    this.#name = name;
    const blobs = join(folder, "blobs/sha256");
    ensureDirectory(blobs, 0o755);
    dropPartials(blobs);
  }

  /** A manifest may be here without its parts. */
  async has(): Promise<boolean> {
    return false;
  }

  async putBlob({ descriptor, open, onProgress }: CopyBlob): Promise<CopyReceipt> {
    const { digest, size } = descriptor;
    const path = join(this.#folder, blobPath(digest));
    if (fs.statSync(path, { throwIfNoEntry: false })?.size === size) return { outcome: "exists", digest, size };
    // Another copy of this process may write the same blob.
    const partial = `${path}.${randomHex(6)}.${process.pid}.partial`;
    const file = fs.openSync(partial, "w", 0o644);
    try {
      let done = 0;
      for await (const chunk of open()) {
        writeAll(file, chunk);
        onProgress((done += chunk.length));
      }
      fs.fsyncSync(file);
      fs.renameSync(partial, path);
    } catch (error) {
      fs.rmSync(partial, { force: true });
      throw error;
    } finally {
      fs.closeSync(file);
    }
    return { outcome: "copied", digest, size };
  }

  async putDocument(document: CopyDocument, role: DocumentRole): Promise<boolean> {
    const path = join(this.#folder, blobPath(document.digest));
    const isNew = !fs.existsSync(path);
    if (isNew) writeFileAtomic(path, document.bytes, 0o644);
    this.#entries.push(...entriesFor(document, role, this.#name));
    return isNew;
  }

  /** A name is one image's: another one that had it stays without it. */
  async finish(): Promise<void> {
    const taken = new Set(this.#entries.map((entry) => entry.annotations?.[REF_ANNOTATION] ?? entry.digest));
    await changeLayoutIndex(this.#folder, (before) => [
      ...before.filter((entry) => !taken.has(entry.annotations?.[REF_ANNOTATION] ?? entry.digest)),
      ...this.#entries,
    ]);
  }
}

/** What copies left that were killed. */
function dropPartials(blobs: string): void {
  for (const name of fs.readdirSync(blobs)) {
    const pid = Number(/\.(\d+)\.partial$/.exec(name)?.[1] ?? Number.NaN);
    if (pid > 0 && !isRunning(pid)) fs.rmSync(join(blobs, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) !== "ESRCH";
  }
}
