// SPDX-License-Identifier: Apache-2.0
/* Blobs of artifacts to a repository, which is asked first whether it has them. */
import { digestOf, fileChunks } from "../base/index.ts";
import type { Digest } from "../base/index.ts";
import type { Doubts } from "./doubts.ts";
import { telling } from "./transfer.ts";
import type { RemoteRepository, TransferListener, TransferOutcome } from "./transfer.ts";

/** A blob in a file. */
export interface BlobFile {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
}

interface PushCall {
  readonly signal?: AbortSignal;
  /** These are sent whatever the registry says. */
  readonly doubts?: Doubts;
}

/** Sends a file unless it is there, and tells of it. What became of it. Throws `E_REGISTRY*`, `E_IO`. */
export async function pushFile(
  remote: RemoteRepository,
  { path, digest, size }: BlobFile,
  { listener, ...call }: PushCall & { readonly listener: TransferListener },
): Promise<TransferOutcome> {
  listener({ kind: "begin", digest, what: "layer" });
  return telling(listener, digest, async () => {
    const wasThere = await isThere(remote, digest, call);
    if (!wasThere) {
      const onProgress = (current: number): void => listener({ kind: "progress", digest, current, total: size });
      const upload = { digest, size, open: () => fileChunks(path), onProgress };
      await remote.client.pushBlob(remote.repository, upload, signalOf(call));
    }
    const outcome = wasThere ? "exists" : "pushed";
    listener({ kind: "end", digest, outcome, size });
    return outcome;
  });
}

/** Sends bytes unless they are there; nobody is told. Throws `E_REGISTRY*`. */
export async function pushBytes(remote: RemoteRepository, bytes: Buffer, call: PushCall): Promise<void> {
  const upload = { digest: digestOf(bytes), size: bytes.length, open: () => once(bytes) };
  if (await isThere(remote, upload.digest, call)) return;
  await remote.client.pushBlob(remote.repository, upload, signalOf(call));
}

async function isThere({ client, repository }: RemoteRepository, digest: Digest, call: PushCall): Promise<boolean> {
  if (call.doubts?.(digest) === true) return false;
  return (await client.headBlob(repository, digest, { forPush: true, ...signalOf(call) })) !== undefined;
}

function signalOf({ signal }: PushCall): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
