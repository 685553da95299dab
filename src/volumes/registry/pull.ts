// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { TarParser, byteName, decompress } from "../../archive/index.ts";
import type { TarHeader } from "../../archive/index.ts";
import { TareError, fileChunks, randomHex } from "../../base/index.ts";
import { compareLists } from "../backup/compare.ts";
import { DATA, damaged } from "../backup/format.ts";
import { TreeUnpacker, settleTree } from "../backup/restore.ts";
import { SeenEntries } from "../backup/seen.ts";
import { Spool } from "../backup/spool.ts";
import { withWork } from "../copies.ts";
import { publishTree, requirePlace, stagedTree } from "../publish.ts";
import type { Publication } from "../publish.ts";
import type { VolumeStore } from "../record.ts";
import { PART, parseArtifact, parseConfig } from "./artifact.ts";
import type { PartBlob, VolumeConfig } from "./artifact.ts";
import { BlobFile } from "./chunks.ts";
import type { RemoteVolume, VolumeTransfer } from "./push.ts";

/** A volume that came from a registry. */
export interface PulledVolume extends Pick<VolumeConfig, "entries" | "bytes"> {
  readonly name: string;
  readonly digest: string;
  readonly warnings: readonly string[];
}

const LIMITS = { entries: Number.MAX_SAFE_INTEGER, path: 8192, depth: 4096, requireEnd: true };
const LARGEST_CONFIG = 1 << 22;

/**
 * Fetches a volume, under the name that it has there unless `publication` has one. All or nothing; every part has its
 * digest, and the whole is what its list of files says. Throws `E_REGISTRY*`, `E_MANIFEST`, `E_DIGEST_MISMATCH`, and as
 * `requirePlace`.
 */
export async function pullVolume(
  store: VolumeStore,
  remote: RemoteVolume,
  publication: Omit<Publication, "name" | "labels"> & { readonly name?: string },
  transfer: VolumeTransfer,
): Promise<PulledVolume> {
  const { client, repository, tag } = remote;
  const from = `${client.domain}/${repository}:${tag}`;
  const { bytes, digest } = await client.getManifest(repository, tag, callOf(transfer));
  const artifact = parseArtifact(bytes.toString("utf8"), from);
  return withWork(store, async (work) => {
    const fetcher = new Fetcher(remote, transfer, work.folder);
    if (artifact.config.size > LARGEST_CONFIG) throw damaged("its config is too large");
    const config = parseConfig(fs.readFileSync(await fetcher.fetch(artifact.config), "utf8"), from);
    const place = { ...publication, name: publication.name ?? config.name, labels: config.labels };
    requirePlace(store, place);
    const tree = byteName(stagedTree(work), undefined);
    const unpacker = new TreeUnpacker({ tree, folder: work.folder });
    const seen = new Spool(join(work.folder, "seen"));
    const entries = new SeenEntries(seen, unpacker);
    let warnings: readonly string[];
    try {
      for await (const path of fetcher.all(artifact.chunks)) await unpackChunk(path, entries);
      entries.finish();
      warnings = unpacker.finish();
    } finally {
      unpacker.close();
    }
    seen.end();
    const manifest = await listOf(await fetcher.fetch(artifact.list), work.folder, config);
    await compareLists(seen.path, manifest, true);
    await settleTree(tree, manifest);
    const { name } = await publishTree(store, work, place);
    return { name, digest, entries: config.entries, bytes: config.bytes, warnings };
  });
}

function callOf({ signal }: VolumeTransfer): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function listOf(path: string, folder: string, config: VolumeConfig): Promise<string> {
  const list = new Spool(join(folder, "manifest"));
  for await (const chunk of decompress(fileChunks(path), { kind: "zstd", allowAnyRatio: true })) list.bytes(chunk);
  if (list.end() !== config.manifest) throw damaged("its list of files is not the one that its config names");
  return list.path;
}

async function unpackChunk(path: string, entries: SeenEntries): Promise<void> {
  const parser = new TarParser(
    {
      entry: (header: TarHeader) => {
        const name = byteName(header.name, header.rawName);
        if (name.startsWith(DATA)) entries.entry(header, name.slice(DATA.length));
        else if (name.startsWith(PART + DATA)) entries.part(header, name.slice(PART.length + DATA.length));
        else throw damaged(`there is \`${header.name}\` in a chunk`);
      },
      data: (piece, position) => entries.data(piece, position),
      end: () => entries.end(),
    },
    LIMITS,
  );
  for await (const chunk of decompress(fileChunks(path), { kind: "zstd", allowAnyRatio: true })) parser.push(chunk);
  parser.finish();
  fs.rmSync(path);
}

class Fetcher {
  readonly #remote: RemoteVolume;
  readonly #transfer: VolumeTransfer;
  readonly #folder: string;

  constructor(remote: RemoteVolume, transfer: VolumeTransfer, folder: string) {
    this.#remote = remote;
    this.#transfer = transfer;
    this.#folder = folder;
  }

  /** The files of blobs in their order; the next one comes while the last one is used. */
  async *all(blobs: readonly PartBlob[]): AsyncGenerator<string> {
    let ahead: Promise<string> | undefined;
    for (const [index, blob] of blobs.entries()) {
      const path = await (ahead ?? this.fetch(blob));
      const next = blobs[index + 1];
      ahead = next && this.fetch(next);
      // It is awaited in the next round, or nobody needs it any more.
      ahead?.catch(() => undefined);
      yield path;
    }
  }

  /** A blob as a file, whose digest was checked. Throws `E_DIGEST_MISMATCH`. */
  async fetch({ digest, size }: PartBlob): Promise<string> {
    const { client, repository } = this.#remote;
    const { listener } = this.#transfer;
    listener({ kind: "begin", digest, what: "layer" });
    const file = new BlobFile(join(this.#folder, `blob-${randomHex(4)}`));
    let current = 0;
    for await (const chunk of client.openBlob(repository, { digest, size }, callOf(this.#transfer))) {
      file.write(chunk);
      current += chunk.length;
      if (current > size) break;
      listener({ kind: "progress", digest, current, total: size });
    }
    const got = file.end();
    if (got.digest !== digest) {
      throw new TareError("E_DIGEST_MISMATCH", `fetching \`${digest}\`: its bytes have the digest ${got.digest}`, {
        hint: "the registry or a mirror gives wrong bytes; try again, or another registry",
      });
    }
    listener({ kind: "end", digest, outcome: "pulled", size });
    return got.path;
  }
}
