// SPDX-License-Identifier: Apache-2.0
import { TareError } from "../../base/index.ts";
import type { Digest } from "../../base/index.ts";
import { compressGzip } from "../../archive/index.ts";
import { isIndex, isManifest } from "../../oci/index.ts";
import type { BlobReceipt, UploadMemory } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import type { Doubts } from "../doubts.ts";
import type { RemoteRepository } from "../transfer.ts";
import { withUploadMemory } from "../upload-memory.ts";
import { subjectOf } from "./documents.ts";
import type { CopyBlob, CopyDocument, CopyReceipt, DocumentRole, ImageSource, ImageTarget } from "./types.ts";

/** A repository of a registry and a tag or digest in it. */
export interface RemotePlace extends RemoteRepository {
  readonly tag: string;
}

const JOBS = 4;
/** Smaller ones are sent at once. */
const REMEMBERED = 16 << 20;

/** An image of a registry to copy; `names`: its full name, when it has a tag. */
export function registrySource(place: RemotePlace, names: readonly string[]): ImageSource {
  const { client, repository, tag } = place;
  return {
    label: `\`${client.domain}/${repository}\``,
    names,
    isMade: false,
    remote: place,
    target: (signal) => client.getManifest(repository, tag, { signal }),
    document: async ({ digest, size }, signal) => {
      const document = await client.getManifest(repository, digest, { signal });
      if (document.bytes.length === size) return document;
      const but = `${document.bytes.length} bytes came, ${size} were announced`;
      throw new TareError("E_DIGEST_MISMATCH", `pulling \`${digest}\`: ${but}`, { details: { digest, size } });
    },
    open: (blob, signal) => client.openBlob(repository, blob, { signal }),
    distrust: (digest) => client.distrust(repository, digest),
    referrers: (subject, signal) => client.referrers(repository, subject, { signal }),
    tagged: async (name, signal) => {
      const facts = await client.headManifest(repository, name, { signal });
      return facts && client.getManifest(repository, facts.digest ?? name, { signal });
    },
  };
}

/** A tag of a registry to copy to; the store remembers how far large blobs came, so that another copy goes on there. */
export function registryTarget(place: RemotePlace, store?: Store): ImageTarget {
  const { client, repository } = place;
  const doubts: Doubts[] = [];
  const believes = (digest: Digest): boolean => !doubts.some((each) => each(digest));
  return {
    holds: "everything",
    jobs: JOBS,
    compresses: true,
    canRepeat: true,
    wantsDiffIds: false,
    has: async (digest, signal) => {
      if (!believes(digest)) return false;
      const facts = await client.headManifest(repository, digest, { signal, forPush: true });
      return facts !== undefined && (facts.digest ?? digest) === digest;
    },
    distrust: (more) => doubts.push(more),
    putBlob: (blob) => {
      if (blob.compress) return putCompressed(place, blob);
      return putBlob(place, blob, { store, mayBeThere: believes(blob.descriptor.digest) });
    },
    putDocument: (document, role, signal) =>
      putDocument(place, document, { role, signal, mayBeThere: believes(document.digest) }),
  };
}

async function putCompressed({ client, repository }: RemotePlace, blob: CopyBlob): Promise<CopyReceipt> {
  const { open, onProgress, signal } = blob;
  const { digest, size } = await client.pushBlob(
    repository,
    { open: () => compressGzip(counted(open(), onProgress)) },
    { signal },
  );
  return { outcome: "copied", digest, size };
}

async function* counted(bytes: AsyncIterable<Uint8Array>, tell: (done: number) => void): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of bytes) {
    done += chunk.length;
    tell(done);
    yield chunk;
  }
}

interface Putting {
  readonly store: Store | undefined;
  /** The registry is asked, and may mount it. */
  readonly mayBeThere: boolean;
}

async function putBlob(place: RemotePlace, blob: CopyBlob, { store, mayBeThere }: Putting): Promise<CopyReceipt> {
  const { client, repository } = place;
  const { open, onProgress, signal, from } = blob;
  const { digest, size } = blob.descriptor;
  const isThere = mayBeThere && (await client.headBlob(repository, digest, { signal, forPush: true }));
  if (isThere) return { outcome: "exists", digest, size };
  const isNear =
    mayBeThere && from !== undefined && from.client.domain === client.domain && from.repository !== repository;
  const mount = isNear ? { mount: { digest, size, from: [from.repository] } } : {};
  const send = (memory?: UploadMemory): Promise<BlobReceipt> => {
    const upload = { digest, size, open, onProgress, ...mount, ...(memory && { memory }) };
    return client.pushBlob(repository, upload, { signal });
  };
  const isRemembered = store !== undefined && size >= REMEMBERED;
  const { how } = isRemembered ? await withUploadMemory(store, { remote: place, name: digest }, send) : await send();
  if (how === "uploaded") return { outcome: "copied", digest, size };
  return { outcome: "mounted", digest, size, ...(from === undefined ? {} : { from: from.repository }) };
}

async function putDocument(
  { client, repository, tag }: RemotePlace,
  document: CopyDocument,
  {
    role,
    signal,
    mayBeThere,
  }: { readonly role: DocumentRole; readonly signal: AbortSignal; readonly mayBeThere: boolean },
): Promise<boolean> {
  const { digest, mediaType } = document;
  const own = role.kind === "tagged" ? role.tag : role.kind === "top" ? tag : undefined;
  const name = own ?? digest;
  const facts = await client.headManifest(repository, name, { signal, forPush: true });
  const isThere = mayBeThere && facts?.digest === digest;
  const refers = (isIndex(mediaType) || isManifest(mediaType)) && subjectOf(document) !== undefined;
  // It may be there and not be listed, where somebody else has to see to the list.
  if (refers) await client.putReferrer(repository, document, { signal });
  if (!isThere && (own !== undefined || !refers)) await client.putManifest(repository, name, document, { signal });
  return !isThere;
}
