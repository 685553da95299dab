// SPDX-License-Identifier: Apache-2.0
/*
 * A tree as a gzip blob whose tar is that of `packTree`, without compressing what a zip holds compressed already: its
 * DEFLATE bytes are put between the tar headers. Headers, and files that come from no zip, go through `Encoder`.
 *
 *   ms:  member[ headers, small files ... header ] member[ large file ] member[ headers, ... ] ...
 *
 * A small entry's blocks go into a shared member: the mark of its last block is cleared, and what follows starts in
 * the same byte. A large one is a complete stream already. No zlib takes part: digests do not depend on its version.
 */
import { TareError, ioError } from "../../base/index.ts";
import type { ByteSink } from "../../base/index.ts";
import { isPlanned, readContent } from "../file-content.ts";
import type { FileContent } from "../file-content.ts";
import { walkTree } from "../pack.ts";
import { TarFacts } from "../measure.ts";
import type { PackResult, TreeVisitor } from "../pack.ts";
import { spliceSource, walkPlanned } from "../planned-tree.ts";
import type { PlannedFiles, PlannedOptions } from "../planned-tree.ts";
import { encodeEntry } from "../tar-encode.ts";
import type { TarFields } from "../tar-encode.ts";
import { displayName, isAscii } from "../tar-entry.ts";
import { BLOCK } from "../tar-header.ts";
import { BlobWriter } from "./blob-writer.ts";
import { Contents } from "./contents.ts";
import { TocBuilder, footer } from "./estargz.ts";
import { MemberWriter } from "./member-writer.ts";
import type { SourceOf, SpliceOptions, SpliceResult, SpliceSource, TocFacts } from "./types.ts";

const END: Uint8Array = new Uint8Array(2 * BLOCK);
const PIECE = 1 << 16;

/**
 * Writes the blob of a tree that nobody changes meanwhile. The bytes depend on the tree, the zip entries and the
 * layout alone. Throws as `packTree`, and `E_ZIP…` for an entry that is not what it says.
 */
export async function spliceTree(
  root: string,
  sourceOf: SourceOf,
  sink: ByteSink,
  options: SpliceOptions = {},
): Promise<SpliceResult> {
  const tar = options.measure === true ? new TarFacts() : undefined;
  const splicer = new Splicer(sourceOf, sink, options, tar);
  await walkTree(root, splicer, options);
  try {
    const blob = await splicer.finish();
    return tar === undefined ? blob : { ...blob, diffId: tar.finish().diffId };
  } catch (error) {
    throw ioError(`packing \`${root}\``, error);
  }
}

/**
 * The same for a tree that is on no disk. Throws as `measurePlanned`; contents that are spliced are not looked at, so
 * observers see only what is compressed here.
 */
export async function splicePlanned(
  files: PlannedFiles,
  sink: ByteSink,
  options: SpliceOptions & PlannedOptions,
): Promise<SpliceResult> {
  const splicer = new Splicer(() => undefined, sink, options);
  await walkPlanned(files, splicer, options);
  return splicer.finish();
}

/**
 * What `measurePlanned` and `splicePlanned` (layout `ms`) do, in one go: each content is read and decoded
 * once, and all observers see it. Throws as both.
 */
export async function packAndSplice(
  files: PlannedFiles,
  sink: ByteSink,
  options: PlannedOptions,
): Promise<{ readonly tar: PackResult; readonly blob: SpliceResult }> {
  const tar = new TarFacts();
  const splicer = new Splicer(() => undefined, sink, {}, tar);
  const facts = await walkPlanned(files, splicer, options);
  const blob = await splicer.finish();
  return { tar: { ...tar.finish(), ...facts }, blob };
}

function factsOf({ digest, diffId, plainDiffId }: TocFacts): TocFacts {
  return { digest, diffId, plainDiffId };
}

class Splicer implements TreeVisitor {
  readonly #sourceOf: SourceOf;
  readonly #blob: BlobWriter;
  readonly #members: MemberWriter;
  readonly #contents: Contents;
  readonly #toc: TocBuilder | undefined;
  readonly #tar: TarFacts | undefined;
  /** Zeros that follow the last content. */
  #padding = 0;
  #spliced = 0;

  constructor(sourceOf: SourceOf, sink: ByteSink, options: SpliceOptions, tar?: TarFacts) {
    this.#sourceOf = sourceOf;
    this.#blob = new BlobWriter(sink);
    this.#members = new MemberWriter(this.#blob);
    this.#contents = new Contents(this.#blob, this.#members, options);
    this.#tar = tar;
    this.#toc = options.layout === "estargz" ? new TocBuilder(options.digestOf) : undefined;
  }

  async entry(fields: TarFields): Promise<void> {
    const header = encodeEntry(fields);
    await this.#plain(this.#padding === 0 ? header : Buffer.concat([END.subarray(0, this.#padding), header]));
    this.#padding = 0;
    this.#toc?.entry(fields);
    if (this.#tar !== undefined) this.#tar.entries += 1;
  }

  async content(file: FileContent, fields: TarFields, pause: () => Promise<void>): Promise<void> {
    const size = fields.size ?? 0;
    const source = isPlanned(file) ? spliceSource(file) : this.#source(fields.name, size);
    if (this.#toc !== undefined) {
      this.#members.close();
      await this.#toc.content(file, fields, this.#blob.size, pause);
    }
    if (source !== undefined && (await this.#isSpliced(source, file, pause))) this.#spliced += 1;
    else await this.#here(file, fields, pause);
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
  }

  async #isSpliced(source: SpliceSource, file: FileContent, pause: () => Promise<void>): Promise<boolean> {
    if (this.#tar === undefined) return this.#contents.splice(source, { pause });
    const tar = this.#tar;
    const observer = isPlanned(file) ? file.observe?.() : undefined;
    const see = (piece: Uint8Array): void => {
      observer?.update(piece);
      tar.update(piece);
    };
    const isSpliced = await this.#contents.splice(source, { pause, see });
    if (isSpliced) observer?.end();
    return isSpliced;
  }

  async finish(): Promise<SpliceResult> {
    const toc = this.#toc === undefined ? undefined : await this.#finishToc(this.#toc);
    if (toc === undefined) await this.#plain(Buffer.concat([END.subarray(0, this.#padding), END]));
    this.#members.end();
    if (toc !== undefined) this.#blob.bytes(footer(toc.offset));
    const digest = await this.#blob.finish();
    return {
      digest,
      size: this.#blob.size,
      diffIdSize: this.#members.total,
      members: this.#members.members + (toc === undefined ? 0 : 1),
      spliced: this.#spliced,
      ...(toc === undefined ? {} : { toc: factsOf(toc) }),
    };
  }

  async #finishToc(builder: TocBuilder): Promise<ReturnType<TocBuilder["finish"]> & { readonly offset: number }> {
    if (this.#padding > 0) await this.#plain(END.subarray(0, this.#padding));
    this.#members.close();
    const offset = this.#blob.size;
    const toc = builder.finish();
    await this.#compress(toc.bytes);
    return { ...toc, offset };
  }

  /** The zip entry behind a file. Names that are not UTF-8 come from no wheel. */
  #source(name: string, size: number): SpliceSource | undefined {
    const path = isAscii(name) ? name : displayName(name);
    if (!isAscii(name) && Buffer.from(path, "utf8").toString("latin1") !== name) return undefined;
    const source = this.#sourceOf(path);
    if (source === undefined || source.entry.size === size) return source;
    throw new TareError("E_ZIP_CONTENT", `packing \`${path}\`: it has ${size} bytes, in the zip ${source.entry.size}`, {
      hint: "the layer's tree or the wheel was changed: remove the layer and install it again",
    });
  }

  async #plain(data: Uint8Array): Promise<void> {
    this.#toc?.hash(data);
    this.#tar?.update(data);
    await this.#compress(data);
  }

  async #compress(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += PIECE) {
      this.#members.plain(data.subarray(at, at + PIECE));
      if (this.#blob.isFull) await this.#blob.drain();
    }
  }

  async #here(file: FileContent, fields: TarFields, pause: () => Promise<void>): Promise<void> {
    const room = this.#contents.room.subarray(0, PIECE);
    const take = (piece: Uint8Array): Promise<void> => {
      this.#tar?.update(piece);
      return this.#compress(piece);
    };
    await readContent(file, fields, take, { room, pause });
  }
}
