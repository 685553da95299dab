// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { CompressSink } from "../../archive/index.ts";
import { digestOf, fileChunks, randomHex } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import type { RemoteRepository, TransferListener } from "../../images/index.ts";
import { factsIn } from "../backup/compare.ts";
import { factsText } from "../backup/format.ts";
import { Spool } from "../backup/spool.ts";
import { walkInto } from "../backup/walk-into.ts";
import type { WalkCounts } from "../backup/walk-into.ts";
import { measureVolume, readableVolume, withWork } from "../copies.ts";
import type { VolumeStore } from "../record.ts";
import { formatArtifact } from "./artifact.ts";
import type { PartBlob, VolumeConfig } from "./artifact.ts";
import { BlobFile, ChunkTarget } from "./chunks.ts";
import type { ChunkFile } from "./chunks.ts";

/** A place for a volume: a tag of a repository. */
export interface RemoteVolume extends RemoteRepository {
  readonly tag: string;
}

/** What a transfer tells, and what ends it. */
export interface VolumeTransfer {
  readonly listener: TransferListener;
  readonly signal?: AbortSignal;
}

/** A volume at a registry after a push. */
export interface PushedVolume extends Pick<WalkCounts, "entries" | "bytes" | "changed" | "skipped"> {
  readonly digest: Digest;
  readonly chunks: number;
  /** Chunks that the registry did not have, and the bytes of all that it did not. */
  readonly sent: number;
  readonly sentBytes: number;
}

/**
 * Sends a volume. What the registry has is not sent. Throws `E_REGISTRY*`, and what reading a volume throws.
 */
export async function pushVolume(
  store: VolumeStore,
  name: string,
  remote: RemoteVolume,
  transfer: VolumeTransfer,
): Promise<PushedVolume> {
  const { record, data } = readableVolume(store, name, "pushing the volume");
  const { signal } = transfer;
  return withWork(store, async ({ folder }) => {
    const sender = new Sender(remote, transfer);
    const chunks: PartBlob[] = [];
    const target = new ChunkTarget(folder, measureVolume(data), async (chunk) => {
      chunks.push({ digest: chunk.digest, size: chunk.size });
      await sender.send(chunk, true);
    });
    const lines = new Spool(join(folder, "lines"));
    const counts = await walkInto(target, { data, ...(signal === undefined ? {} : { signal }) }, { manifest: lines });
    lines.end();
    await target.finish();
    const list = await listBlob(folder, lines.path);
    await sender.send(list, false);
    const { entries, bytes } = counts;
    const { labels } = record;
    const config: VolumeConfig = { version: 1, name, labels, entries, bytes, manifest: list.manifest };
    const artifact = formatArtifact(config, chunks, list);
    await sender.sendBytes(artifact.config);
    const manifest = { bytes: artifact.manifest, mediaType: artifact.mediaType };
    const digest = await remote.client.putManifest(remote.repository, remote.tag, manifest, callOf(transfer));
    const { changed, skipped } = counts;
    return { digest, entries, bytes, changed, skipped, chunks: chunks.length, ...sender.sent };
  });
}

/** The list of all files without what only this machine knows: equal volumes have equal lists. */
async function listBlob(folder: string, lines: string): Promise<ChunkFile & { readonly manifest: Digest }> {
  const file = new BlobFile(join(folder, `list-${randomHex(4)}`));
  const compressed = new CompressSink(file, { kind: "zstd" });
  const plain = new Spool(join(folder, "plain"));
  for await (const facts of factsIn(lines)) plain.line(factsText({ ...facts, stamp: undefined }));
  const manifest = plain.end();
  for await (const chunk of fileChunks(plain.path)) await compressed.write(chunk);
  await compressed.finish();
  return { ...file.end(), manifest };
}

function callOf({ signal }: VolumeTransfer): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

class Sender {
  readonly #remote: RemoteVolume;
  readonly #transfer: VolumeTransfer;
  #sent = 0;
  #sentBytes = 0;

  constructor(remote: RemoteVolume, transfer: VolumeTransfer) {
    this.#remote = remote;
    this.#transfer = transfer;
  }

  get sent(): { readonly sent: number; readonly sentBytes: number } {
    return { sent: this.#sent, sentBytes: this.#sentBytes };
  }

  /** Sends a file's bytes unless they are there, and deletes the file. */
  async send({ path, digest, size }: ChunkFile, isChunk: boolean): Promise<void> {
    const { client, repository } = this.#remote;
    const { listener } = this.#transfer;
    listener({ kind: "begin", digest, what: "layer" });
    const wasThere =
      (await client.headBlob(repository, digest, { forPush: true, ...callOf(this.#transfer) })) !== undefined;
    if (!wasThere) {
      const onProgress = (current: number): void => listener({ kind: "progress", digest, current, total: size });
      const upload = { digest, size, open: () => fileChunks(path), onProgress };
      await client.pushBlob(repository, upload, callOf(this.#transfer));
      this.#sent += isChunk ? 1 : 0;
      this.#sentBytes += size;
    }
    listener({ kind: "end", digest, outcome: wasThere ? "exists" : "pushed", size });
    fs.rmSync(path);
  }

  async sendBytes(bytes: Buffer): Promise<void> {
    const { client, repository } = this.#remote;
    const upload = { digest: digestOf(bytes), size: bytes.length, open: () => once(bytes) };
    const call = callOf(this.#transfer);
    if ((await client.headBlob(repository, upload.digest, { forPush: true, ...call })) !== undefined) return;
    await client.pushBlob(repository, upload, call);
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
