// SPDX-License-Identifier: Apache-2.0
import type { Digest, DiffId } from "../../base/index.ts";
import type { PackOptions } from "../pack.ts";
import type { ZipEntry, ZipFile } from "../zip/types.ts";

/** A zip entry whose content is exactly that of a file in the tree. */
export interface SpliceSource {
  readonly zip: ZipFile;
  readonly entry: ZipEntry;
}

/** The zip entry behind a file of the tree (path as in the archive: relative, no leading `/`), where there is one. */
export type SourceOf = (path: string) => SpliceSource | undefined;

/**
 * How members are cut. `ms` (default): small entries and headers share members, large entries have one of their own;
 * `m1`: a single member; `estargz`: each file starts a member, and a table of contents follows (lazy pulling).
 */
export type SpliceLayout = "ms" | "m1" | "estargz";

/** How a tree is spliced; the options of `packTree` decide the tar bytes and must be those of the layer. */
export interface SpliceOptions extends PackOptions {
  readonly layout?: SpliceLayout;
  /** Inflates every spliced entry first and compares size and CRC-32. Default false: the tree's maker did that. */
  readonly verify?: boolean;
  /** Hashes the tar on the way, for which all that is spliced is decoded. Default false. */
  readonly measure?: boolean;
  /** For `estargz`: sha256 of a file, where it is known; others are read and hashed. */
  readonly digestOf?: (path: string) => Digest | undefined;
}

/** A layer blob that was written. */
export interface SpliceResult {
  /** Of the gzip bytes. */
  readonly digest: Digest;
  readonly size: number;
  /** Bytes of the tar inside. */
  readonly diffIdSize: number;
  /** sha256 of that tar, with `measure`. */
  readonly diffId?: DiffId;
  /** gzip members. */
  readonly members: number;
  /** Files whose compressed bytes were taken from a zip as they are. */
  readonly spliced: number;
  /** Only for `estargz`, whose tar has the table of contents as its last file, so that its diffID is another. */
  readonly toc?: TocFacts;
}

/** The table of contents of an eStargz blob. */
export interface TocFacts {
  /** Of its JSON: what the manifest tells a lazy reader, who has nothing else to check it by. */
  readonly digest: Digest;
  /** Of the blob's tar with the table. */
  readonly diffId: DiffId;
  /** Of the tar without it: that of the tree that was spliced. */
  readonly plainDiffId: DiffId;
}
