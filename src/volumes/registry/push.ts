// SPDX-License-Identifier: Apache-2.0
import * as fs from "node:fs";
import { join } from "node:path";
import { CompressSink } from "../../archive/index.ts";
import { fileChunks, randomHex } from "../../base/index.ts";
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
    await (await images()).pushBytes(remote, artifact.config, callOf(transfer));
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

/** Whoever starts a container has this file too, and not that room. */
function images(): Promise<typeof import("../../images/index.ts")> {
  return import("../../images/index.ts");
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

  /** Sends a file unless it is there, and deletes it. */
  async send(file: ChunkFile, isChunk: boolean): Promise<void> {
    const outcome = await (await images()).pushFile(this.#remote, file, this.#transfer);
    if (outcome === "pushed") {
      this.#sent += isChunk ? 1 : 0;
      this.#sentBytes += file.size;
    }
    fs.rmSync(file.path);
  }
}
