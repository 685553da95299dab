// SPDX-License-Identifier: Apache-2.0
/* What a copy needs of the two places: an image is read from one and written to the other, blob by blob. */
import type { DiffId, Digest } from "../../base/index.ts";
import type { Descriptor } from "../../oci/index.ts";
import type { RemoteManifest } from "../../registry/index.ts";
import type { Doubts } from "../doubts.ts";
import type { RemoteRepository, TransferOutcome } from "../transfer.ts";

/** A manifest or index with its bytes, which have the digest. */
export type CopyDocument = RemoteManifest;

/** An image at the place that it is copied from. */
export interface ImageSource {
  /** As the user named the place. */
  readonly label: string;
  /** Full names with tags that the place itself gives to the image. */
  readonly names: readonly string[];
  /** The place keeps no manifest that others know: layers that are plain tars may be compressed on the way. */
  readonly isMade: boolean;
  /** Blobs may be mounted from here. */
  readonly remote?: RemoteRepository;
  /** What the place names: a manifest or an index. */
  target(signal: AbortSignal): Promise<CopyDocument>;
  /** A manifest or index that another one names; its digest was checked. */
  document(descriptor: Descriptor, signal: AbortSignal): Promise<CopyDocument>;
  /** The bytes of a blob, which were not checked; may be called again. */
  open(blob: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** True when wrong bytes of a blob came from a mirror, so that another try asks somebody else. */
  distrust?(blob: Digest): boolean;
  /** What refers to a manifest. */
  referrers(subject: Digest, signal: AbortSignal): Promise<readonly Descriptor[]>;
  /** What a tag names; undefined when there is no such tag. */
  tagged(tag: string, signal: AbortSignal): Promise<CopyDocument | undefined>;
}

/** A blob on its way. */
export interface CopyBlob {
  readonly descriptor: Descriptor;
  readonly what: "layer" | "config";
  /** Of a layer of an image, where the target wants to know it. */
  readonly diffId?: DiffId;
  /** Streams the bytes, which are checked on the way; called again when they have to be sent again. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** Compressed on the way: its digest will be another one. */
  readonly compress: boolean;
  readonly from?: RemoteRepository;
  readonly onProgress: (done: number) => void;
  readonly signal: AbortSignal;
}

/** A blob that is there now. */
export interface CopyReceipt {
  readonly outcome: TransferOutcome;
  readonly digest: Digest;
  readonly size: number;
  /** The repository that it was mounted from. */
  readonly from?: string;
}

/** What a manifest is to the copy: the one with the name, one that it consists of, or one that refers to one. */
export type DocumentRole =
  | { readonly kind: "top" | "part" | "referrer" }
  /** Refers to one by a tag that is made of its digest, as cosign has it. */
  | { readonly kind: "tagged"; readonly tag: string };

/** A place that an image is copied to. */
export interface ImageTarget {
  /** `image`: one image for one platform; nothing that refers to it, no artifact. */
  readonly holds: "everything" | "platforms" | "image";
  /** Blobs at the same time. */
  readonly jobs: number;
  /** Layers of images that were made on the way should arrive compressed. */
  readonly compresses: boolean;
  /** A blob that failed in the middle can be put again. */
  readonly canRepeat: boolean;
  /** Layers need their diffIDs. */
  readonly wantsDiffIds: boolean;
  /** True when a manifest is there with all that it names. */
  has(digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Its word that it has these is not believed any more: a manifest was refused, as they were not there. */
  distrust?(doubts: Doubts): void;
  putBlob(blob: CopyBlob): Promise<CopyReceipt>;
  /** Its blobs and parts are there. False: it was there under its name already. */
  putDocument(document: CopyDocument, role: DocumentRole, signal: AbortSignal): Promise<boolean>;
}
