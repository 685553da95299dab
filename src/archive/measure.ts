// SPDX-License-Identifier: Apache-2.0
/* The facts of a layer tar that is written nowhere: its bytes are hashed as they arise, and kept by nobody. */
import { Hasher, asDiffId } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import { readContent } from "./file-content.ts";
import type { FileContent } from "./file-content.ts";
import { walkPlanned } from "./planned-tree.ts";
import type { PlannedFiles, PlannedOptions } from "./planned-tree.ts";
import type { PackResult, TreeVisitor } from "./pack.ts";
import { encodeEntry } from "./tar-encode.ts";
import type { TarFields } from "./tar-encode.ts";
import { BLOCK } from "./tar-header.ts";

const ZEROS: Uint8Array = new Uint8Array(2 * BLOCK);
/** Planned content brings its own memory. */
const NO_ROOM: Uint8Array = new Uint8Array(0);

/** Hashes what it is given in order; pieces are valid during the call only. */
export interface TarHasher {
  update(piece: Uint8Array): unknown;
  /** sha256 of all of it. */
  digest(): Digest;
}

/** Size, diffID and number of entries of a tar, from its bytes. */
export class TarFacts {
  readonly #hasher: TarHasher;
  #size = 0;
  entries = 0;

  constructor(hasher: TarHasher = new Hasher()) {
    this.#hasher = hasher;
  }

  update(piece: Uint8Array): void {
    this.#hasher.update(piece);
    this.#size += piece.length;
  }

  finish(): Pick<PackResult, "size" | "diffId" | "entries"> {
    return { size: this.#size, diffId: asDiffId(this.#hasher.digest()), entries: this.entries };
  }
}

/**
 * The facts of the tar that `packTree` would make of the tree of these files; every content is read once. Throws
 * `E_WHITEOUT`, `E_TAR_HEADER`, `E_ZIP_CONTENT`, and what observers and the hasher throw.
 */
export async function measurePlanned(
  files: PlannedFiles,
  options: PlannedOptions & { readonly hasher?: TarHasher },
): Promise<PackResult> {
  const tar = new TarFacts(options.hasher);
  const facts = await walkPlanned(files, new Measuring(tar), options);
  tar.update(ZEROS);
  return { ...tar.finish(), ...facts };
}

class Measuring implements TreeVisitor {
  readonly #tar: TarFacts;

  constructor(tar: TarFacts) {
    this.#tar = tar;
  }

  async entry(fields: TarFields): Promise<void> {
    this.#tar.update(encodeEntry(fields));
    this.#tar.entries += 1;
  }

  async content(file: FileContent, fields: TarFields, pause: () => Promise<void>): Promise<void> {
    await readContent(file, fields, (piece) => this.#tar.update(piece), { room: NO_ROOM, pause });
    const rest = (BLOCK - ((fields.size ?? 0) % BLOCK)) % BLOCK;
    if (rest > 0) this.#tar.update(ZEROS.subarray(0, rest));
  }
}
