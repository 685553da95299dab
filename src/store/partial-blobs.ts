// SPDX-License-Identifier: Apache-2.0
/*
 * Blobs on their way in that outlive a kill of their process:
 *
 *   ingest/<hex>/data   the bytes at their places, with holes
 *   ingest/<hex>/have   lines `start end`, each written after its bytes
 *
 * One process at a time has a blob, by a claim. A power cut may keep a line and lose its bytes: nothing of this is
 * believed before the digest of the whole was computed from the file.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import type { Digest } from "../base/index.ts";
import { TareError, digestFromHex, hexOf, readTextIfPresent } from "../base/index.ts";
import { ByteRanges } from "./byte-ranges.ts";
import { isClaimed, takeClaim } from "./claims.ts";
import type { StoreContext } from "./context.ts";
import { namesIn } from "./layout.ts";
import type { BlobInfo, ByteRange, PartialBlob, PartialBlobs } from "./types.ts";

/** A line for so many bytes: what a kill loses at most of each stream. */
const NOTE_EACH = 1 << 20;
/** What nobody asked for again in this time goes with the next download. */
const STALE_MS = 7 * 24 * 3600 * 1000;

/** Blobs on their way in. */
export function partialBlobs(context: StoreContext): PartialBlobs {
  return {
    claim: (blob) => claimPartial(context, blob),
    received: ({ digest, size }) => readNotes(join(context.layout.ingest, hexOf(digest)), size).total,
  };
}

function claimPartial(context: StoreContext, blob: BlobInfo): PartialBlob | undefined {
  const end = takeClaim(context, claimOf(hexOf(blob.digest)));
  if (!end) return undefined;
  try {
    context.lease().keep([blob.digest]);
    dropStale(context);
    return new PartialFile(context, blob, end);
  } catch (error) {
    end();
    throw error;
  }
}

function claimOf(hex: string): string {
  return `ingest:${hex}`;
}

/** What was left of a download that no living process goes on with. */
export interface LeftPartial {
  readonly digest: Digest;
  readonly path: string;
}

/** Inside a write transaction nobody can claim one of these meanwhile. */
export function leftPartials(context: StoreContext, before: number = Number.POSITIVE_INFINITY): LeftPartial[] {
  return namesIn(context.layout.ingest).flatMap((name) => {
    const path = join(context.layout.ingest, name);
    const facts = fs.statSync(join(path, "data"), { throwIfNoEntry: false });
    const isYoung = facts !== undefined && facts.mtimeMs >= before;
    if (!/^[0-9a-f]{64}$/.test(name) || isYoung || isClaimed(context, claimOf(name))) return [];
    return [{ digest: digestFromHex(name), path }];
  });
}

function dropStale(context: StoreContext): void {
  const before = Date.now() - STALE_MS;
  if (namesIn(context.layout.ingest).length === 0 || leftPartials(context, before).length === 0) return;
  const { folder } = context.lease();
  const moved = context.database.write(() =>
    leftPartials(context, before).map(({ digest, path }) => {
      const aside = join(folder, `stale-${hexOf(digest)}`);
      context.effects.rename("ingest.drop", path, aside);
      return aside;
    }),
  );
  for (const path of moved) context.effects.removeTree("ingest.drop", path);
}

interface Opened {
  readonly path: string;
  readonly descriptor: number;
}

class PartialFile implements PartialBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly path: string;
  readonly kept: number;
  readonly #context: StoreContext;
  readonly #folder: string;
  readonly #endClaim: () => void;
  readonly #have: ByteRanges;
  /** What was written since the last line, one for each stream. */
  #unnoted: { readonly start: number; end: number }[] = [];
  #file: Opened | undefined;
  #isEnded = false;

  constructor(context: StoreContext, { digest, size }: BlobInfo, endClaim: () => void) {
    this.#context = context;
    this.digest = digest;
    this.size = size;
    this.#endClaim = endClaim;
    this.#folder = join(context.layout.ingest, hexOf(digest));
    this.path = join(this.#folder, "data");
    this.#have = readNotes(this.#folder, size);
    this.kept = this.#have.total;
  }

  get frontier(): number {
    return Math.min(this.#have.frontier, this.size);
  }

  get received(): number {
    return this.#have.total;
  }

  missing(): readonly ByteRange[] {
    return this.#have.missing(this.size);
  }

  /** Makes the file when it is missing. */
  open(): void {
    if (this.#file) return;
    const { effects } = this.#context;
    effects.makeDirectory("ingest.open", this.#folder);
    this.#file = { path: this.path, descriptor: effects.openFor("ingest.open", this.path) };
  }

  write(at: number, chunk: Uint8Array): void {
    if (at + chunk.length > this.size) throw tooLong(this, at + chunk.length);
    this.open();
    if (this.#file) this.#context.effects.writeAt("ingest.write", this.#file, chunk, at);
    this.#have.add(at, at + chunk.length);
    const stream = this.#unnoted.find(({ end }) => end === at);
    if (stream) stream.end += chunk.length;
    else this.#unnoted.push({ start: at, end: at + chunk.length });
    const grown = stream ?? { start: at, end: at + chunk.length };
    if (grown.end - grown.start >= NOTE_EACH) this.#note();
  }

  reset(): void {
    this.#have.clear();
    this.#unnoted = [];
    this.#close();
    this.#context.effects.removeTree("ingest.drop", this.#folder);
  }

  async publish(actual: Digest): Promise<BlobInfo> {
    const { digest, size } = this;
    if (actual !== digest) throw otherDigest(digest, actual);
    this.open();
    const file = this.#file;
    const { effects, layout, sync } = this.#context;
    if (!file || this.#have.missing(size).length > 0) throw new Error(`bug: blob ${digest} is published with holes`);
    if (sync === "full") await effects.syncLater("blob.sync", file);
    effects.rename("blob.rename", this.path, layout.blob(digest));
    if (sync === "full") effects.syncDirectory("blob.syncdir", layout.blobs);
    this.discard();
    return { digest, size };
  }

  discard(): void {
    if (this.#isEnded) return;
    this.#close();
    this.#context.effects.removeTree("ingest.drop", this.#folder);
    this.#end();
  }

  close(): void {
    if (this.#isEnded) return;
    this.#note();
    this.#close();
    this.#end();
  }

  #end(): void {
    this.#isEnded = true;
    this.#endClaim();
  }

  #close(): void {
    if (this.#file) fs.closeSync(this.#file.descriptor);
    this.#file = undefined;
  }

  #note(): void {
    if (this.#unnoted.length === 0) return;
    const lines = this.#unnoted.map(({ start, end }) => `${start} ${end}\n`).join("");
    this.#context.effects.append("ingest.note", join(this.#folder, "have"), lines);
    this.#unnoted = [];
  }
}

/** A line that a kill cut off counts nothing, and what is beyond the file's end neither. */
function readNotes(folder: string, size: number): ByteRanges {
  const have = new ByteRanges();
  const length = fs.statSync(join(folder, "data"), { throwIfNoEntry: false })?.size ?? 0;
  const text = readTextIfPresent(join(folder, "have")) ?? "";
  for (const [, start = "", end = ""] of text.matchAll(/^(\d{1,15}) (\d{1,15})$(?=\n)/gm)) {
    have.add(Number(start), Math.min(Number(end), length, size));
  }
  return have;
}

function tooLong({ digest, size }: BlobInfo, came: number): TareError {
  const but = `${came} bytes came, ${size} were announced`;
  return new TareError("E_DIGEST_MISMATCH", `writing blob \`${digest}\`: ${but}`, { details: { digest, size } });
}

function otherDigest(expected: Digest, actual: Digest): TareError {
  const why = `its bytes have the digest \`${actual}\``;
  return new TareError("E_DIGEST_MISMATCH", `writing blob \`${expected}\`: ${why}`, { details: { expected, actual } });
}
