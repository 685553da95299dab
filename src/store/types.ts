// SPDX-License-Identifier: Apache-2.0
import type { EventJournal } from "./events.ts";
import type { DiffId, Digest } from "../base/index.ts";
import type { FaultPlan } from "./faults.ts";
import type { ImageContent } from "./image-content.ts";

/** What is known of a blob: OCI content descriptor (descriptor.md) without the optional fields. */
export interface BlobInfo {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** Compressed (or plain) bytes by digest: manifests, configs, layers as they travel. */
export interface BlobStore {
  has(digest: Digest): boolean;
  /** Size and digest, or undefined when absent. */
  stat(digest: Digest): BlobInfo | undefined;
  /** Absolute path of a present blob. Throws `E_BLOB_MISSING`. */
  path(digest: Digest): string;
  /** The whole blob; for manifests and configs. Throws `E_BLOB_MISSING`, `E_STORE_DAMAGED` when its bytes do not match. */
  read(digest: Digest): Buffer;
  /** Streams into the store, hashing on the way; published by rename after digest and size were checked and synced. */
  write(source: AsyncIterable<Uint8Array>, expected?: Partial<BlobInfo>): Promise<BlobInfo>;
  /** The same for bytes at hand. */
  writeBytes(data: Uint8Array | string): BlobInfo;
}

/** Bytes from `start` to before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Blobs on their way in whose bytes outlive their process. */
export interface PartialBlobs {
  /**
   * Takes the download of a blob for the caller alone, with what earlier ones left of it; undefined while another has
   * it, of this process or another that lives. The caller ends it by `publish`, `discard` or `close`.
   */
  claim(blob: BlobInfo): PartialBlob | undefined;
  /** Bytes on the disk of a download that goes on or was left; 0 when there is none. */
  received(blob: BlobInfo): number;
}

/** A blob on its way in. */
export interface PartialBlob extends BlobInfo {
  /** Absolute path of its bytes; the file is there after `open` or the first `write`. */
  readonly path: string;
  /** Bytes that earlier downloads left; not to be trusted before the digest is known. */
  readonly kept: number;
  /** Bytes from the first on without a hole. */
  readonly frontier: number;
  /** Bytes in all. */
  readonly received: number;
  missing(): readonly ByteRange[];
  open(): void;
  /** Writes bytes at their place. Throws `E_DIGEST_MISMATCH` beyond the announced size. */
  write(at: number, chunk: Uint8Array): void;
  /** Forgets all bytes: they were wrong. */
  reset(): void;
  /**
   * Makes it a blob and ends it. `actual` is the digest of the file, read back. Throws `E_DIGEST_MISMATCH`, and then
   * does not end it.
   */
  publish(actual: Digest): Promise<BlobInfo>;
  /** Drops the bytes and ends it. */
  discard(): void;
  /** Ends it and leaves the bytes for the next one. After another end it does nothing. */
  close(): void;
}

/** Facts of an unpacked layer, kept in its `layer.json`. */
export interface LayerFacts {
  readonly diffId: DiffId;
  /** Bytes of the uncompressed tar. */
  readonly size: number;
  /** Bytes of file content. */
  readonly contentSize: number;
  readonly entries: number;
  /** Paths (no leading slash) of directories that hide everything below them in lower layers. */
  readonly opaque: readonly string[];
  readonly whiteouts: number;
  readonly hasXattrs: boolean;
  /**
   * The bytes this layer came as, when they came from outside; its tar can't be made again from the tree then.
   * Absent for layers made here: `archive.packTree` of the tree gives exactly the bytes of `diffId`.
   */
  readonly blob?: BlobInfo & { readonly mediaType: string };
  /** Published without its tree, which is made when something needs it: others know of what. */
  readonly isDeferred?: true;
}

/** A published layer with its tree. Never changes. */
export interface Layer extends LayerFacts {
  /** Absolute path of the unpacked tree, fit as an overlayfs lower directory (whiteouts as character device 0/0). */
  readonly tree: string;
  /** Short path relative to the store's root that leads to `tree`, for long `lowerdir=` lists: `l/<short>`. */
  readonly link: string;
}

/** A layer in the making, private to this process until `commit`; gone after a crash. */
export interface LayerStaging {
  /** Directory to fill: also an overlayfs upper directory. Mode 0755, owner root. */
  readonly tree: string;
  /** Empty directory on the same file system: overlayfs work directory. */
  readonly work: string;
  /** Syncs and publishes by rename. When the layer exists already the staging is dropped and the known layer returned. */
  commit(facts: LayerFacts): Layer;
  /** The same without blocking while it syncs. Nobody changes the tree meanwhile. */
  commitLater(facts: LayerFacts): Promise<Layer>;
  discard(): void;
}

/** Unpacked layers by diffID. */
export interface LayerStore {
  /** The layer with its tree; undefined for one whose tree is still to be made. */
  get(diffId: Digest): Layer | undefined;
  /** What is known of a layer, be its tree there or not. */
  facts(diffId: Digest): LayerFacts | undefined;
  /** All layers lowest first, with their trees. Throws `E_LAYER_MISSING` naming the first absent one. */
  getAll(diffIds: readonly Digest[]): readonly Layer[];
  stage(): LayerStaging;
  /** Publishes a layer without its tree, which `stage` and `commit` bring later. */
  defer(facts: Omit<LayerFacts, "isDeferred" | "blob">): void;
  /** Those with a tree. */
  list(): readonly Layer[];
}

/** A named or nameless image in the store. */
export interface ImageRecord {
  /** Digest of the manifest or index that names point to. */
  readonly target: Digest;
  readonly mediaType: string;
  /** Digest of the config of the manifest for this host's platform (Docker's image ID); of the first manifest otherwise. */
  readonly id: Digest;
  /** Full names with tag: `docker.io/library/python:3.11-slim`. Empty for a dangling image. */
  readonly names: readonly string[];
  /** When it came into this store, milliseconds since the epoch. */
  readonly addedAt: number;
}

/** Names and their images. */
export interface ImageStore {
  /** Makes `name` (full, with tag) point to an image whose blobs and layers are present; returns the record. */
  put(
    image: { readonly target: Digest; readonly mediaType: string; readonly id: Digest },
    names: readonly string[],
  ): ImageRecord;
  /** By full name with tag, `name@digest`, target digest, id, or a unique hex prefix of an id (≥ 1 digits). */
  find(text: string): ImageRecord | undefined;
  list(): readonly ImageRecord[];
  /** Removes one name; the record stays, dangling, when it was the last. False when there is no such name. */
  untag(name: string): boolean;
  /** Removes the record and all its names. Blobs and layers go with the next prune. */
  remove(target: Digest): void;
}

/** Results of build steps by cache key. */
export interface BuildCache {
  /** The value as JSON gives it; undefined when unknown or when one of its layers is gone. */
  get(key: Digest): unknown;
  /** `layers` names the diffIDs that the value refers to, so that prune keeps them while the record is used. */
  put(key: Digest, value: unknown, layers: readonly Digest[]): void;
  /** The records that refer to some layers, and to these alone. */
  of(layers: ReadonlySet<Digest>): readonly { readonly key: Digest; readonly layers: readonly Digest[] }[];
}

/** One file's identity for the fingerprint memo: a changed file changes one of these. */
export interface FileStamp {
  readonly device: number;
  readonly inode: number;
  readonly size: number;
  /** Nanoseconds. */
  readonly mtime: bigint;
  /** Nanoseconds. */
  readonly ctime: bigint;
}

/** Remembers sha256 digests of files on the user's disk, so that an unchanged context is not read again. */
export interface FingerprintMemo {
  /** Loads everything known of files below `root` in one query; look-ups and notes are then in memory. */
  open(root: string): FingerprintRoot;
}

/** The memo of one root. `path` is any text that names a file below it; the same in `get` and `set`. */
export interface FingerprintRoot {
  get(path: string, stamp: FileStamp): Digest | undefined;
  /** Call right after hashing. Files changed in the last two seconds are not remembered (racy timestamps). */
  set(path: string, stamp: FileStamp, digest: Digest): void;
  /** Writes what is new, in one transaction; nothing when nothing is. */
  save(): void;
}

/** JSON documents by id with an optional unique name: containers, networks, volumes. All writes are transactions. */
export interface DocumentStore<T> {
  get(id: string): T | undefined;
  /** By exact id, exact name, or unique id prefix. Throws `E_AMBIGUOUS` (details: ids) when a prefix fits several. */
  find(text: string): T | undefined;
  list(): readonly T[];
  /** All ids with their documents, oldest first. */
  entries(): readonly (readonly [id: string, value: T])[];
  /** Creates; throws `E_NAME_TAKEN` (details: id) when the name belongs to another document. */
  insert(id: string, name: string | undefined, value: T): void;
  /** Creates a document without a name, or gives the one of that id another value. */
  put(id: string, value: T): void;
  /** Read, change or make, write in one transaction: `change` gets undefined when there is none, and gives the new one. */
  change(id: string, change: (before: T | undefined) => T): void;
  /** Read, change, write in one transaction; undefined when absent. */
  update(id: string, change: (value: T) => T): T | undefined;
  /**
   * Gives a document another name and, in the same transaction, the value that `change` makes of the known one; false
   * when there is no such document. Throws `E_NAME_TAKEN`.
   */
  rename(id: string, name: string, change?: (value: T) => T): boolean;
  remove(id: string): void;
}

/** A claim that dies with its process: whatever lies in its folder is rubbish as soon as the owner is gone. */
export interface Lease {
  readonly id: string;
  /** Private temporary folder on the store's file system. */
  readonly folder: string;
  /**
   * Keeps layers and blobs from being pruned while this command uses them. Keep first, then look whether they are
   * there; what this process writes itself is kept already.
   */
  keep(digests: readonly Digest[]): void;
  release(): void;
}

/** What `tare system df` shows, per kind; sizes in bytes. */
export interface UsageRow {
  readonly kind: "images" | "layers" | "blobs" | "cache" | "wheels" | "containers" | "temporary" | "mounts-cache";
  readonly count: number;
  readonly active: number;
  readonly size: number;
  readonly reclaimable: number;
}

/** What fsck found. `temporary` is what a killed command left: no damage, the next command that writes removes it. */
export interface FsckFinding {
  readonly kind: "blob" | "layer" | "image" | "cache" | "link" | "temporary" | "database";
  readonly subject: string;
  readonly problem: string;
  readonly repair: string;
  readonly repaired: boolean;
}

/** A folder for `RUN --mount=type=cache`. */
export interface CacheMount {
  readonly id: string;
  /** `mounts/<hash of id>`; the mounted directory is `data` in it. */
  readonly folder: string;
  /** Milliseconds since the epoch. */
  readonly usedAt: number;
  readonly claimed: boolean;
}

/** Folders for `RUN --mount=type=cache`, by any text as id. */
export interface CacheMounts {
  /** Absolute path of the directory to mount, made (mode 0755) when missing. */
  path(id: string): string;
  /**
   * Takes the mount for this process alone (`sharing=locked`; for `private` claim `id`, `id#2`, …); undefined when
   * a living process has it. The claim ends by the returned function or with the process.
   */
  claim(id: string): (() => void) | undefined;
  list(): readonly CacheMount[];
}

/** What prune may remove. What something else needs is never removed, whatever is asked. */
export interface PruneOptions {
  /** `dangling`: images without a name; `unused`: all that no container uses. Default `none`. */
  readonly images?: "none" | "dangling" | "unused";
  /**
   * `unused`: records none of whose layers an image or container uses; `all`. Default `none`. With either also wheels
   * that no layer left is made of; those made here from sources with `all` only.
   */
  readonly cache?: "none" | "unused" | "all";
  /**
   * Besides: the least recently used records until the layers that only the build cache needs take at most this many
   * bytes. Younger than `until` or not.
   */
  readonly cacheLimit?: number;
  /** Cache mounts that no running build has claimed. Default false. */
  readonly mounts?: boolean;
  /** Only images added and records last used before this time (milliseconds since the epoch). */
  readonly until?: number;
  /** Says what would go and removes nothing. */
  readonly dryRun?: boolean;
}

/** What went, or would go, of one kind. */
export interface PruneRow {
  readonly kind: "images" | "cache" | "layers" | "blobs" | "wheels" | "temporary" | "mounts-cache" | "links";
  /** Image names or targets, keys, digests, folder names. */
  readonly items: readonly string[];
  /** Bytes. */
  readonly size: number;
}

/** The result of prune. */
export interface PruneReport {
  readonly rows: readonly PruneRow[];
  /** Bytes freed in all. */
  readonly freed: number;
  readonly dryRun: boolean;
}

/** How thorough fsck is. */
export interface FsckOptions {
  /** Mends what can be mended; otherwise only reports. */
  readonly repair?: boolean;
  /** Compares sizes with what refers to a blob instead of hashing its bytes. */
  readonly quick?: boolean;
  /**
   * Recomputes the diffID of an unpacked layer that was made here (`archive.packTree`); called for layers without
   * `blob`. Absent: trees are only looked at.
   */
  readonly verifyLayer?: (layer: Layer) => DiffId | Promise<DiffId>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** How a store is opened. */
export interface StoreOptions {
  /** The folder that holds `v1/`. Made (mode 0700) when missing. */
  readonly root: string;
  /** Folder on a memory file system for what a reboot may forget; default `<root>/v1/run`. Not made by the store. */
  readonly runRoot?: string;
  /** Never writes, not even a missing folder; a missing store reads as empty. */
  readonly readonly?: boolean;
  /** `none` leaves flushing to the kernel: safe against kill -9, not against a power cut. Default `full`. */
  readonly sync?: "full" | "none";
  /** A fault to inject, see `parseFaultPlan`. For tests. */
  readonly fault?: FaultPlan;
}

/** An open store. Cheap: nothing is read or written, and SQLite isn't loaded, before it is needed. */
export interface Store {
  /** The versioned folder `<options.root>/v1`; `Layer.link` is relative to it. */
  readonly root: string;
  /** `<root>/containers`; one folder per container, owned by the containers area. */
  readonly containersRoot: string;
  readonly runRoot: string;
  readonly blobs: BlobStore;
  readonly partials: PartialBlobs;
  readonly layers: LayerStore;
  readonly images: ImageStore;
  readonly cache: BuildCache;
  readonly fingerprints: FingerprintMemo;
  readonly cacheMounts: CacheMounts;
  /** What happened: whoever changes something of note says so here. */
  readonly events: EventJournal;
  /** `lasting: false`: changes made through this one need not outlive a power cut. */
  documents<T>(kind: string, options?: { readonly lasting?: boolean }): DocumentStore<T>;
  /** A new claim of this process; release it or leave it to `close` or the process's end. */
  lease(): Lease;
  /**
   * Takes a key for the caller alone; undefined while another has it, of this process or another that lives. Call the
   * result to end the claim, or leave it to the process's end.
   */
  claim(key: string): (() => void) | undefined;
  /** Removes what dead processes left in `tmp/`; returns their lease names. One readdir when there is nothing. */
  recover(): readonly string[];
  /** Frees 1 MiB kept aside when the disk is full: call it first where the user removes things. `prune` takes it again. */
  makeRoom(): void;
  /** Free bytes on the store's disk. */
  freeSpace(): number;
  /** Throws `E_NOSPACE` before work begins that will need `size` bytes. */
  requireSpace(size: number, doing: string): void;
  /** What an image needs, and what of it is missing. */
  contentOf(image: Pick<ImageRecord, "target" | "id">): ImageContent;
  usage(): readonly UsageRow[];
  /** Removes what nothing needs; safe while others build, pull and run. */
  prune(options?: PruneOptions): PruneReport;
  fsck(options?: FsckOptions): Promise<readonly FsckFinding[]>;
  /** Releases this process's leases and closes the databases; with `exiting` only those that have to be flushed. */
  close(options?: { readonly exiting?: boolean }): void;
}
