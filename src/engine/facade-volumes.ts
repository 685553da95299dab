// SPDX-License-Identifier: Apache-2.0
/* Volumes: that part of the face. */
import type { ByteSink, ByteSource, Filters, InspectDocument, LongCall } from "./facade.ts";

/** `volume create`. */
export interface CreateVolumeRequest {
  /** Absent: a name is made up, and the volume is an anonymous one. */
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Options of the driver `local`: `type`, `device`, `o`. */
  readonly options: Readonly<Record<string, string>>;
}

/** A row of `volume ls`. */
export interface VolumeSummary {
  readonly name: string;
  readonly driver: "local";
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  /** The folder that containers see. */
  readonly mountpoint: string;
  /** Nobody named it: it goes with its container, and with a prune. */
  readonly anonymous: boolean;
  /** Names of the containers that have it. */
  readonly users: readonly string[];
  /** Bytes on disk; only when asked for. */
  readonly size?: number;
}

/** What a prune took. */
export interface VolumePruneReport {
  readonly volumes: readonly { readonly name: string; readonly size: number }[];
  readonly reclaimed: number;
}

/** Volumes. Absent ones throw `E_VOLUME_NOTFOUND`. */
export interface VolumesApi {
  /** One that exists stays as it is. Throws `E_VOLUME_NAME`, `E_VOLUME_OPTION`, `E_VOLUME_EXISTS`, `E_UNSUPPORTED`. */
  create(request: CreateVolumeRequest): Promise<{ readonly name: string; readonly existed: boolean }>;
  /** By name. Filters: name, label, driver, dangling. */
  list(request?: { readonly filters?: Filters; readonly size?: boolean }): Promise<readonly VolumeSummary[]>;
  inspect(name: string): Promise<InspectDocument>;
  /** Throws `E_VOLUME_INUSE`. */
  remove(name: string): Promise<void>;
  /** Volumes without a container: anonymous ones, with `all` the others too. Filters: label, label!, until, all. */
  prune(request: {
    readonly all: boolean;
    readonly filters: Filters;
    /** Says what would go and removes nothing. */
    readonly dryRun?: boolean;
  }): Promise<VolumePruneReport>;
  /** All names, for completion; fast. */
  names(): Promise<readonly string[]>;
  /** Throws `E_VOLUME_CHANGED` for a file that is written all the time, `E_VOLUME_OPTION` for a volume in memory. */
  backup(request: BackupVolumeRequest): Promise<VolumeBackup>;
  /** Throws `E_VOLUME_BACKUP` unless the backup is whole. */
  verify(request: { readonly input: ByteSource } & LongCall): Promise<VerifiedBackup>;
  /** All or nothing. Throws `E_VOLUME_BACKUP`, `E_VOLUME_EXISTS` without `force`, `E_VOLUME_INUSE`. */
  restore(request: RestoreVolumeRequest): Promise<VerifiedBackup>;
  /** All or nothing. Throws as `backup`, and `E_VOLUME_EXISTS`. */
  clone(request: CloneVolumeRequest): Promise<void>;
  /** Sends what the registry does not have. Throws as `backup`, and `E_REGISTRY*`. */
  push(request: PushVolumeRequest): Promise<PushedVolume>;
  /** All or nothing. Throws as `restore`, `E_REGISTRY*`, and `E_MANIFEST` when no volume is there. */
  pull(request: PullVolumeRequest): Promise<PulledVolume>;
}

/** `volume backup`. */
export interface BackupVolumeRequest extends LongCall {
  readonly name: string;
  readonly output: ByteSink;
  readonly compression: "none" | "gzip" | "zstd";
  /** A backup's file that this one goes on from: only what changed since is in it. */
  readonly since?: string;
  /** Containers that run with the volume stand still meanwhile. */
  readonly pause: boolean;
}

/** What a backup holds. */
export interface VolumeBackup {
  readonly id: string;
  /** Digest of its manifest. */
  readonly manifest: string;
  readonly entries: number;
  /** Bytes of content in the whole volume. */
  readonly bytes: number;
  /** Entries that are in this backup; of an incremental one, the others are in its parents. */
  readonly stored: number;
  /** Of an incremental one: paths that are gone. */
  readonly deleted: number;
  /** Files that changed while they were read, and were read again: the first few. */
  readonly changed: readonly string[];
  /** Sockets, which are left out: the first few. */
  readonly skipped: readonly string[];
}

/** A backup that was read to its end and is whole. */
export interface VerifiedBackup {
  readonly id: string;
  /** Of the volume that it was made from. */
  readonly name: string;
  readonly createdAt: number;
  /** The backup that it goes on from. */
  readonly parent?: string;
  readonly entries: number;
  readonly bytes: number;
  readonly stored: number;
}

/** `volume restore`. */
export interface RestoreVolumeRequest extends LongCall {
  readonly name: string;
  /** A full backup, then those that go on from it. */
  readonly inputs: readonly ByteSource[];
  /** Replaces what an existing volume holds. */
  readonly force: boolean;
}

/** `volume clone`. */
export interface CloneVolumeRequest extends LongCall {
  readonly from: string;
  readonly to: string;
  readonly pause: boolean;
}

/** `volume push`. */
export interface PushVolumeRequest extends LongCall {
  readonly name: string;
  /** `registry/name[:tag]`. */
  readonly repository: string;
  readonly pause: boolean;
}

/** What a push left at the registry. */
export interface PushedVolume {
  readonly repository: string;
  /** Of the manifest. */
  readonly digest: string;
  readonly entries: number;
  /** Bytes of files. */
  readonly bytes: number;
  /** Into how many chunks they were cut; those that the registry lacked, and their bytes. */
  readonly chunks: number;
  readonly sent: number;
  readonly sentBytes: number;
  /** As of a backup. */
  readonly changed: readonly string[];
  readonly skipped: readonly string[];
}

/** `volume pull`. */
export interface PullVolumeRequest extends LongCall {
  readonly repository: string;
  /** Default: the name that it was pushed under. */
  readonly name?: string;
  readonly force: boolean;
}

/** What a pull brought. */
export interface PulledVolume {
  readonly name: string;
  readonly digest: string;
  readonly entries: number;
  readonly bytes: number;
}
