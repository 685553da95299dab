// SPDX-License-Identifier: Apache-2.0
import type { DiffId } from "../base/index.ts";
import type { Owner } from "./entry-metadata.ts";
import type { TarHeader, TarLimits } from "./tar-entry.ts";
import type { TarHandler } from "./tar-parser.ts";

/** How an archive is extracted. */
export interface ExtractOptions {
  /** "overlay": a layer, whiteouts become overlay's marks. "plain": any archive, `.wh.` names mean nothing. */
  readonly mode: "overlay" | "plain";
  /** Owner of everything instead of the archive's. */
  readonly owner?: Owner;
  readonly limits?: TarLimits;
  /** Most bytes of file content. Default: no limit. */
  readonly maxContent?: number;
  /** Computes the digest of the whole archive. Default: in "overlay" mode. */
  readonly digest?: boolean;
  /** False skips owners and devices with a warning. Default: running as root. */
  readonly privileged?: boolean;
  /** Makes what overlayfs would read as its own marks, instead of refusing it: for trees that are no layers. */
  readonly keepMarks?: boolean;
  /** Namespace of the opaque mark. Default "trusted" for root, else "user" (overlay's `userxattr`). */
  readonly overlayXattrs?: "trusted" | "user";
  /** Where an entry goes, by its clean path (byte string); undefined: it is left out. Also for targets of hard links. */
  readonly rename?: (path: string) => string | undefined;
  /** Throws `E_COPY` instead of replacing a directory by something else or the other way round. */
  readonly keepKinds?: boolean;
  readonly signal?: AbortSignal;
}

/** What was extracted. Paths are display text, "" for the root. */
export interface ExtractResult {
  readonly entries: number;
  /** Bytes of the tar, to its end. */
  readonly size: number;
  /** Bytes of file content. */
  readonly contentSize: number;
  readonly diffId: DiffId | undefined;
  /** Directories marked opaque. Overlayfs ignores the mark on a layer's root (""): leave lower layers out instead. */
  readonly opaque: readonly string[];
  readonly whiteouts: number;
  /** Directories that the archive did not list; made with mode 0755 and owner root (or `owner`). */
  readonly implied: readonly string[];
  readonly hasXattrs: boolean;
  readonly warnings: readonly string[];
}

/** What `openExtraction` gives: it takes the parts of an archive from the caller's own parser. */
export interface Extraction extends TarHandler {
  /** Goes on with a file that an entry before has made: its content so far stays. `end` follows as after `entry`. */
  reopen(header: TarHeader): void;
  /** Sets what had to wait. */
  finish(): Omit<ExtractResult, "size" | "diffId">;
  close(): void;
}
